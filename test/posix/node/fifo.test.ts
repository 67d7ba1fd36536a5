// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, constants, lstatSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errno, type NodePosix, READABLE, WRITABLE } from '../../../src/posix/index.js';
import type { FileDone } from '../../../src/posix/files.js';
import { openFifo } from '../../../src/posix/node/fifo.js';
import { NodeFileCalls } from '../../../src/posix/node/files.js';
import { withUmask } from '../../attacker.js';
import { shortDirectory } from '../../short-directory.js';
import { readiness } from '../arms/world.js';
import { posixFor } from '../fixture.js';

const tasks = { post: (task: () => void): void => task() };
const files = new NodeFileCalls(tasks);

const opened = (
  posix: Pick<NodePosix, 'adopt'>,
  path: string,
  end: 'read' | 'write',
  program?: string,
): Promise<number> =>
  new Promise((done) => {
    openFifo({ posix, files, tasks, ...(program && { program }) }, { path, end, mode: 0o622 }, done);
  });

/** A FIFO that was made, and its two ends. */
async function bothEnds(t: Test) {
  const posix = posixFor(t);
  const path = join(shortDirectory(t), 'fifo');
  const reader = await opened(posix, path, 'read');
  const writer = await opened(posix, path, 'write');
  t.ok(reader >= 0 && writer >= 0 && reader !== writer);
  return { posix, path, reader, writer };
}

t.test('a FIFO that is missing is made with its mode, and one that is there is opened', async (t) => {
  withUmask(t, 0o077);
  const { posix, path, reader, writer } = await bothEnds(t);
  const status = lstatSync(path);
  t.ok(status.isFIFO());
  t.equal(status.mode & 0o777, 0o622);
  t.equal(posix.write(writer, Buffer.from('through')), 7);
  await readiness(posix, reader, READABLE);
  const buffer = Buffer.alloc(10);
  t.equal(posix.read(reader, buffer), 7);
  t.equal(buffer.toString('latin1', 0, 7), 'through');
});

t.test('each end is for its own direction, and outlives the other', async (t) => {
  const { posix, path, reader, writer } = await bothEnds(t);
  t.equal(posix.write(reader, Buffer.from('x')), -errno.EPIPE);
  t.equal(posix.read(writer, Buffer.alloc(1)), 0);
  posix.close(reader);
  await readiness(posix, writer, WRITABLE);
  t.equal(posix.write(writer, Buffer.from('kept')), 4, 'nobody reads');
  const other = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  closeSync(other);
});

t.test('what another one reads is not read here', async (t) => {
  const { posix, path } = await bothEnds(t);
  t.equal(await opened(posix, path, 'read'), -errno.EBUSY);
});

t.test('a path that is something else is EEXIST, and one that cannot be used its own error', async (t) => {
  const posix = posixFor(t);
  const directory = shortDirectory(t);
  const path = (name: string): string => join(directory, name);
  writeFileSync(path('file'), '');
  mkdirSync(path('directory'));
  symlinkSync(path('file'), path('link'));
  for (const name of ['file', 'directory', 'link'])
    for (const end of ['read', 'write'] as const)
      t.equal(await opened(posix, path(name), end), -errno.EEXIST, `${name}, ${end}`);
  t.equal(await opened(posix, path('file/fifo'), 'read'), -errno.ENOTDIR);
  t.equal(await opened(posix, path('fifo'), 'read', path('no program')), -errno.EOPNOTSUPP);
});

t.test('an error of a file call is the result, and nothing stays open', async (t) => {
  const { posix, path } = await bothEnds(t);
  const failing = (call: 'lstat' | 'open' | 'fstat', calls: string[]): NodeFileCalls =>
    new Proxy(files, {
      get(target, name: keyof NodeFileCalls) {
        if (name === call) return (...parts: unknown[]) => (parts.at(-1) as FileDone)(-errno.EIO);
        return (...parts: unknown[]) => {
          calls.push(name);
          return (target[name] as (...all: unknown[]) => unknown).apply(target, parts);
        };
      },
    });
  for (const [call, end, others] of [
    ['lstat', 'write', []],
    ['open', 'write', ['lstat']],
    ['open', 'read', ['lstat']],
    ['fstat', 'write', ['lstat', 'open', 'close']],
  ] as const) {
    const calls: string[] = [];
    const host = { posix, files: failing(call, calls), tasks };
    t.equal(await new Promise((done) => openFifo(host, { path, end, mode: 0o600 }, done)), -errno.EIO, call);
    t.same(calls, others, call);
  }
});

t.test(
  'a path that became something else after it was looked at is not opened, or closed again',
  async (t) => {
    const { posix, path } = await bothEnds(t);
    const directory = shortDirectory(t);
    const [file, link] = [join(directory, 'file'), join(directory, 'link')];
    writeFileSync(file, '');
    symlinkSync(path, link);
    const calls: string[] = [];
    const changing: NodeFileCalls = new Proxy(files, {
      get(target, name: keyof NodeFileCalls) {
        // What was there before is the FIFO.
        if (name === 'lstat') return (_path: string, done: FileDone) => target.lstat(path, done);
        return (...parts: unknown[]) => {
          calls.push(name);
          return (target[name] as (...all: unknown[]) => unknown).apply(target, parts);
        };
      },
    });
    const host = { posix, files: changing, tasks };
    const open = (name: string): Promise<number> =>
      new Promise((done) => openFifo(host, { path: name, end: 'write', mode: 0o600 }, done));
    t.equal(await open(link), -errno.ELOOP);
    t.same(calls.splice(0), ['open']);
    t.equal(await open(file), -errno.EEXIST);
    t.same(calls, ['open', 'fstat', 'close']);
  },
);

t.test('a FIFO for which there is no descriptor is closed again', async (t) => {
  const { posix, path, reader } = await bothEnds(t);
  const full = { adopt: () => -errno.EMFILE };
  t.equal(await opened(full, path, 'write'), -errno.EMFILE);
  posix.close(reader);
  // Until the streams are gone the FIFO has a reader.
  for (let result = -errno.EBUSY; result === -errno.EBUSY;) {
    for (const { fd } of posix.openDescriptors()) posix.close(fd);
    await new Promise(setImmediate);
    result = await opened(posix, path, 'read');
    t.ok(result === -errno.EBUSY || result >= 0);
  }
});
