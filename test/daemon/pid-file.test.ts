// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PidFile } from '../../src/daemon/pid-file.js';
import { skipped } from '../programs.js';
import { shortDirectory } from '../short-directory.js';
import { smallFileSystem } from '../small-file-system.js';
import { DaemonChild } from './daemon-child.js';

t.test('a pid file has the number, is readable by others, and is removed with its owner', async (t) => {
  const path = join(shortDirectory(t), 'pid');
  writeFileSync(path, '4194303 \n');
  const file = new PidFile(path, 71);
  t.equal(readFileSync(path, 'utf8'), '71\n');
  file[Symbol.dispose]();
  t.notOk(existsSync(path));
  const descriptors = readdirSync('/proc/self/fd').length;
  file[Symbol.dispose]();
  t.equal(readdirSync('/proc/self/fd').length, descriptors);
  using _again = new PidFile(path, 72);
  t.equal(statSync(path).mode & 0o777 & ~0o644, 0);
});

t.test('a file that has no process id is not overwritten', async (t) => {
  const path = join(shortDirectory(t), 'disk.img');
  for (const text of ['precious', '71\n72', `71${' '.repeat(4096)}x`, '\0'.repeat(512)]) {
    writeFileSync(path, text);
    t.throws(() => new PidFile(path, 71), {
      code: 'EEXIST',
      message: `cannot write ${path}: it exists and is not a pid file`,
    });
    t.equal(readFileSync(path, 'utf8'), text);
  }
  writeFileSync(path, '');
  using _file = new PidFile(path, 71);
  t.equal(readFileSync(path, 'utf8'), '71\n');
});

t.test('a file created there by another process stays', async (t) => {
  const path = join(shortDirectory(t), 'pid');
  const first = new PidFile(path, 71);
  const second = new PidFile(path, 72);
  first[Symbol.dispose]();
  t.equal(readFileSync(path, 'utf8'), '72\n');
  renameSync(path, `${path}.old`);
  writeFileSync(path, '72\n');
  second[Symbol.dispose]();
  t.ok(existsSync(path), 'another file with the same number');
  const third = new PidFile(`${path}3`, 73);
  renameSync(`${path}3`, `${path}4`);
  third[Symbol.dispose]();
  t.ok(existsSync(`${path}4`));
});

t.test('a pid file is written through no link and into no FIFO', async (t) => {
  const directory = shortDirectory(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('victim'), 'precious');
  symlinkSync(at('victim'), at('link'));
  linkSync(at('victim'), at('second'));
  execFileSync('mkfifo', [at('fifo')]);
  const write = (path: string): void => new PidFile(path, 71)[Symbol.dispose]();
  for (const [name, reason] of [
    ['link', /it is a link/],
    ['second', /it has another name as well/],
    ['fifo', /it is no regular file/],
    ['none/there', /ENOENT/],
  ] as const)
    t.throws(() => write(at(name)), { message: reason }, name);
  t.equal(readFileSync(at('victim'), 'utf8'), 'precious');
  write('/dev/null');
  t.ok(existsSync('/dev/null'));
});

t.test('a pid file that cannot be written leaves no descriptor open', async (t) => {
  const isOpen = (fd: string): boolean =>
    statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })?.rdev === statSync('/dev/full').rdev;
  t.throws(() => new PidFile('/dev/full', 71), { code: 'ENOSPC' });
  t.same(readdirSync('/proc/self/fd').filter(isOpen), []);
});

t.test('a pid file that the file system has no room for is not left empty', async (t) => {
  const directory = shortDirectory(t);
  const unmount = smallFileSystem(directory, '64k');
  if (typeof unmount === 'string') return void skipped(t, unmount);
  t.teardown(unmount);
  t.throws(() => writeFileSync(join(directory, 'ballast'), Buffer.alloc(1 << 20)), { code: 'ENOSPC' });
  t.throws(() => new PidFile(join(directory, 'pid'), 71), { code: 'ENOSPC' });
  t.same(readdirSync(directory), ['ballast']);
});

t.test('a pid file exists from ready until the daemon ends, however it ends', async (t) => {
  for (const signals of [['SIGTERM'], ['SIGTERM', 'SIGTERM']] as const) {
    const directory = shortDirectory(t);
    const path = join(directory, 'pid');
    const stuck = signals.length > 1 ? ['--disk', '0=stuck:'] : [];
    const argv = ['--control-directory', directory, '--pid-file', path, ...stuck];
    const daemon = new DaemonChild(t, argv);
    await daemon.ready();
    t.equal(readFileSync(path, 'utf8'), `${daemon.pid}\n`);
    for (const signal of signals) daemon.kill(signal);
    await daemon.exit();
    t.notOk(existsSync(path), signals.join(', '));
  }
});

t.test('a daemon does not start if its pid file cannot be written', async (t) => {
  const directory = shortDirectory(t);
  const daemon = new DaemonChild(t, ['--control-directory', directory, '--pid-file', '/no/where']);
  t.equal(await daemon.exit(), 1);
  t.match(daemon.stderr, /cannot start: --pid-file \/no\/where cannot be used: ENOENT/);
});
