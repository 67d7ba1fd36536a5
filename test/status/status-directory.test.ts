// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  listStatusSockets,
  prepareStatusDirectory,
  statusDirectories,
  statusDirectory,
  statusSocketPath,
} from '../../src/status/status-directory.js';
import { shortDirectory } from '../short-directory.js';

t.test('the directory is in the runtime directory, or under the uid in the temporary one', async (t) => {
  t.equal(statusDirectory({ XDG_RUNTIME_DIR: '/run/user/7' }, 7), '/run/user/7/tapdisk-ts');
  t.equal(statusDirectory({ XDG_RUNTIME_DIR: '' }, 7), join(tmpdir(), 'tapdisk-ts-7'));
  t.equal(statusDirectory({}, 8), join(tmpdir(), 'tapdisk-ts-8'));
  t.match(statusDirectory(), /tapdisk-ts/);
  t.equal(statusDirectory({ XDG_RUNTIME_DIR: 'run/user/7' }, 7), join(tmpdir(), 'tapdisk-ts-7'));
});

t.test('sockets of programs started with another environment are found too', async (t) => {
  const link = join(shortDirectory(t), 'link');
  const before = process.env['TMPDIR'];
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const [own, usual, runtime] = ['/own/tapdisk-ts-7', '/tmp/tapdisk-ts-7', '/run/user/7/tapdisk-ts'];
  process.env['TMPDIR'] = '/own';
  t.strictSame(statusDirectories({ XDG_RUNTIME_DIR: '/run/x' }, 7), [
    '/run/x/tapdisk-ts',
    runtime,
    own,
    usual,
  ]);
  t.strictSame(statusDirectories({}, 7), [own, runtime, usual]);
  for (const temporary of ['/tmp', 'relative']) {
    process.env['TMPDIR'] = temporary;
    t.strictSame(statusDirectories({}, 7), [usual, runtime]);
  }
  const directory = mkdtempSync('/tmp/tapdisk-ts-');
  t.teardown(() => rmdirSync(directory));
  symlinkSync('/tmp', link);
  process.env['TMPDIR'] = link;
  const uid = directory.slice('/tmp/tapdisk-ts-'.length) as unknown as number;
  t.strictSame(
    statusDirectories({}, uid),
    [`${link}/tapdisk-ts-${uid}`, `/run/user/${uid}/tapdisk-ts`],
    'a directory is listed once',
  );
});

t.test('the directory is created for its owner only', async (t) => {
  const directory = join(t.testdir(), 'a', 'b');
  prepareStatusDirectory(directory);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  prepareStatusDirectory(directory);
});

t.test('a directory that others may use in any way, or that is not ours, is not used', async (t) => {
  const directory = t.testdir({ file: '' });
  const open = join(directory, 'open');
  mkdirSync(open);
  const refused = { code: 'EPERM', message: /belongs to this user alone/ };
  for (const bit of [0o40, 0o20, 0o10, 0o4, 0o2, 0o1]) {
    chmodSync(open, 0o700 | bit);
    t.throws(() => prepareStatusDirectory(open), refused, `mode ${(0o700 | bit).toString(8)}`);
  }
  const link = join(directory, 'link');
  chmodSync(open, 0o700);
  symlinkSync(open, link);
  t.throws(() => prepareStatusDirectory(link), refused);
  t.throws(() => listStatusSockets(link), refused);
  t.throws(() => listStatusSockets(open, (process.getuid?.() ?? 0) + 1), refused);
  t.throws(() => prepareStatusDirectory(open, (process.getuid?.() ?? 0) + 1), refused);
  t.throws(() => prepareStatusDirectory(join(directory, 'file')), { code: 'EEXIST' });
});

t.test('only sockets are listed, by role and pid', async (t) => {
  const directory = shortDirectory(t);
  t.same(listStatusSockets(join(directory, 'none')), []);
  for (const name of [
    'backup-12.sock',
    'primary-300.sock',
    'primary-4.sock',
    'primary-0.sock',
    'x-backup-1.sock',
  ]) {
    const server = createServer().listen(join(directory, name));
    await once(server, 'listening');
    t.teardown(() => server.close());
  }
  writeFileSync(join(directory, 'backup-1.sock'), '');
  t.same(
    listStatusSockets(directory).map(({ role, pid }) => `${role} ${pid}`),
    ['primary 4', 'primary 300', 'backup 12'],
  );
  t.equal(listStatusSockets(directory)[0]?.path, statusSocketPath(directory, 'primary', 4));
  t.throws(() => listStatusSockets(join(directory, 'backup-1.sock')), { code: 'EPERM' });
});
