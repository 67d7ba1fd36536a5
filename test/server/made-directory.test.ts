// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../src/server/made-directory.js';

t.test('a directory is made with those above it, and one that is there stays as it is', async (t) => {
  const directory = t.testdir({ file: '' });
  const [above, below] = [join(directory, 'a'), join(directory, 'a', 'b')];
  makeDirectory(below, 0o700);
  t.same([statSync(above).mode & 0o777, statSync(below).mode & 0o777], [0o700, 0o700]);
  chmodSync(below, 0o750);
  makeDirectory(below, 0o700);
  makeDirectory('/', 0o700);
  t.equal(statSync(below).mode & 0o777, 0o750);
});

t.test('where no directory can be made the reason is thrown', async (t) => {
  const directory = t.testdir({ file: '' });
  t.throws(() => makeDirectory(join(directory, 'file'), 0o700), { code: 'EEXIST' });
  t.throws(() => makeDirectory(join(directory, 'file', 'a'), 0o700), { code: 'ENOTDIR' });
  t.throws(() => makeDirectory('/proc/tapdisk-ts', 0o700), { code: 'ENOENT' });
  t.throws(() => makeDirectory('/proc/tapdisk-ts/a', 0o700), { code: 'ENOENT' });
});
