// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import type { FileDone, FileStatus, StatusDone } from '../../../src/posix/files.js';
import { NodeFileCalls } from '../../../src/posix/node/files.js';

const directory = mkdtempSync(join(tmpdir(), 'node-files-'));
t.teardown(() => rmSync(directory, { recursive: true }));
const files = new NodeFileCalls({ post: (task) => task() });
const result = (call: (done: FileDone) => void): Promise<number> => new Promise(call);

t.test('beyond 2^53 a file call is EFBIG, and changes nothing', async (t) => {
  const path = join(directory, 'file');
  writeFileSync(path, 'content');
  const fd = openSync(path, 'r+');
  const buffer = Buffer.alloc(512, 'x');
  for (const position of [2 ** 53 - 511, 2 ** 53, 2 ** 53 + 512, 2 ** 60]) {
    t.equal(await result((done) => files.write(fd, buffer, position, done)), -errno.EFBIG);
    t.equal(await result((done) => files.read(fd, buffer, position, done)), -errno.EFBIG);
    t.equal(await result((done) => files.allocate(fd, position, 512, done)), -errno.EFBIG);
    t.equal(await result((done) => files.punchHole(fd, position, 512, done)), -errno.EFBIG);
  }
  t.equal(await result((done) => files.ftruncate(fd, 2 ** 53, done)), -errno.EFBIG);
  for (const position of [-1, 0.5, NaN]) {
    t.equal(await result((done) => files.write(fd, buffer, position, done)), -errno.EINVAL);
    t.equal(await result((done) => files.ftruncate(fd, position, done)), -errno.EINVAL);
  }
  t.equal(readFileSync(path, 'latin1'), 'content');
  closeSync(fd);
});

t.test('an argument error thrown by Node becomes the result of the call', async (t) => {
  const wrong = 'a\0b';
  const calls: Record<string, (done: FileDone) => void> = {
    stat: (done) => files.stat(wrong, done),
    lstat: (done) => files.lstat(wrong, done),
    realpath: (done) => files.realpath(wrong, done),
    open: (done) => files.open(wrong, 0, done),
    'open with flags': (done) => files.open(directory, 2 ** 40, done),
    fstat: (done) => files.fstat(-1, done),
    read: (done) => files.read(-1, Buffer.alloc(1), 0, done),
    write: (done) => files.write(-1, Buffer.alloc(1), 0, done),
    fdatasync: (done) => files.fdatasync(-1, done),
    fsync: (done) => files.fsync(-1, done),
    ftruncate: (done) => files.ftruncate(-1, 0, done),
    fchmod: (done) => files.fchmod(-1, 0, done),
    fchown: (done) => files.fchown(-1, 0, 0, done),
    close: (done) => files.close(-1, done),
    rename: (done) => files.rename(wrong, 'c', done),
    link: (done) => files.link(wrong, 'c', done),
    unlink: (done) => files.unlink(wrong, done),
    mkdir: (done) => files.mkdir(wrong, 0o700, done),
    readdir: (done) => files.readdir(wrong, done),
    syncDirectory: (done) => files.syncDirectory(wrong, done),
  };
  for (const [name, call] of Object.entries(calls)) t.equal(await result(call), -errno.EINVAL, name);
});

t.test('a name whose bytes are not UTF-8 is -EILSEQ, and is not returned as another', async (t) => {
  const inside = Buffer.from(`${directory}/caf\u00e9`, 'latin1');
  mkdirSync(inside);
  const link = join(directory, 'to-latin1');
  symlinkSync(inside, link);
  const outcome = (call: (done: (result: number, value?: unknown) => void) => void) =>
    new Promise((resolve) => {
      call((...results) => resolve(results));
    });
  t.same(await outcome((done) => files.realpath(link, done)), [-errno.EILSEQ]);
  t.same(await outcome((done) => files.readdir(directory, done)), [-errno.EILSEQ]);
  rmSync(inside, { recursive: true });
  t.same(await outcome((done) => files.realpath(link, done)), [-errno.ENOENT]);
  mkdirSync(join(directory, 'caf\u00e9'));
  t.same(await outcome((done) => files.realpath(join(directory, 'caf\u00e9'), done)), [
    0,
    join(directory, 'caf\u00e9'),
  ]);
  t.match(await outcome((done) => files.readdir(directory, done)), [0, /caf\u00e9/]);
});

const statusOf = (call: (done: StatusDone) => void): Promise<FileStatus> =>
  new Promise((resolve, reject) => {
    call((found, status) => (status ? resolve(status) : reject(new Error(`status is ${found}`))));
  });

t.test('a status has the kind of the file, its permissions, owner, times and device', async (t) => {
  const file = join(directory, 'status');
  writeFileSync(file, 'content');
  chmodSync(file, 0o4640);
  utimesSync(file, 1_000_000_000, 1_234_567_890.5);
  const expected = statSync(file);
  const { ino, dev, uid, gid, ctimeMs } = expected;
  t.same(await statusOf((done) => files.stat(file, done)), {
    kind: 'regular',
    size: 7,
    device: '0:0',
    inode: ino,
    fileSystem: dev,
    mode: 0o4640,
    uid,
    gid,
    modifiedSeconds: 1_234_567_890.5,
    changedSeconds: ctimeMs / 1000,
  });
  const kind = async (path: string): Promise<string> =>
    (await statusOf((done) => files.lstat(path, done))).kind;
  symlinkSync('status', join(directory, 'link'));
  t.equal(await kind(join(directory, 'link')), 'link');
  t.equal(await kind(directory), 'directory');
  const fifo = join(directory, 'fifo');
  spawnSync('mkfifo', [fifo]);
  t.equal(await kind(fifo), 'fifo');
  const server = createServer().listen(join(directory, 'socket'));
  t.equal(await kind(join(directory, 'socket')), 'socket');
  server.close();
  const { kind: character, device } = await statusOf((done) => files.stat('/dev/null', done));
  t.same([character, device], ['character', '1:3']);
});

t.test('what was opened without a mode is created for all to read and write, less the umask', async (t) => {
  const path = join(directory, 'new');
  const umask = process.umask();
  const fd = await result((done) => files.open(path, 0o101, done));
  t.equal(statSync(path).mode & 0o777, 0o666 & ~umask);
  t.equal(await result((done) => files.fchmod(fd, 0o600, done)), 0);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(await result((done) => files.close(fd, done)), 0);
});

t.test('a sync of a directory reports that there is none, or that it is a file', async (t) => {
  const file = join(directory, 'no directory');
  writeFileSync(file, '');
  t.equal(await result((done) => files.syncDirectory(directory, done)), 0);
  t.equal(await result((done) => files.syncDirectory(file, done)), -errno.ENOTDIR);
  t.equal(await result((done) => files.syncDirectory(join(directory, 'none'), done)), -errno.ENOENT);
  class BrokenDisk extends NodeFileCalls {
    override fsync(_: number, done: FileDone): void {
      done(-errno.EIO);
    }
  }
  const broken = new BrokenDisk({ post: (task) => task() });
  t.equal(await result((done) => broken.syncDirectory(directory, done)), -errno.EIO, 'and that it failed');
});
