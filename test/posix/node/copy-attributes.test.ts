// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { copyAttributes } from '../../../src/posix/node/copy-attributes.js';
import { run } from '../../programs.js';

const python = (program: string, ...args: string[]) =>
  run('python3', ['-c', `import os, sys\n${program}`, ...args]);

t.test('extended attributes are copied between open files, without their content', async (t) => {
  const directory = t.testdir({ from: 'old', to: 'new' });
  const [from, to] = [join(directory, 'from'), join(directory, 'to')];
  const set = await python('os.setxattr(sys.argv[1], "user.note", b"kept")', from);
  if (set.status !== 0)
    return void t.pass(`left out: no attribute can be set: ${set.stderr}`, { skip: true });
  const [source, target] = [openSync(from, 'r'), openSync(to, 'r+')];
  t.equal(await copyAttributes(source, target), undefined);
  closeSync(source);
  closeSync(target);
  const printed = await python('print(os.getxattr(sys.argv[1], "user.note").decode())', to);
  t.equal(printed.stdout, 'kept\n');
  t.equal(readFileSync(to, 'utf8'), 'new');
});

t.test('a failure to copy them is reported', async (t) => {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, '');
  const fd = openSync(path, 'r');
  t.match(await copyAttributes(fd, fd, { PATH: '/nowhere' }), /^cp does not start/);
  closeSync(fd);
});
