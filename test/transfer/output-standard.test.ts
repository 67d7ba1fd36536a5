// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { errno } from '../../src/posix/index.js';
import { outputToStandard } from '../../src/transfer/output-standard.js';

t.test('one transfer follows another on a pipe', async (t) => {
  const pipe = new PassThrough();
  const output = outputToStandard(pipe);
  t.match(output, { name: 'standard output', appends: true });
  for (const text of ['one', 'two']) {
    const copy = await output.begin();
    copy.stream.write(text);
    await copy.commit();
  }
  const abandoned = await output.begin();
  await abandoned.abandon();
  // Node 26 gives a chunk a call, the versions before it everything.
  let read = '';
  for (let chunk = pipe.read(); chunk !== null; chunk = pipe.read()) read += String(chunk);
  t.equal(read, 'onetwo');
  t.ok(pipe.writable);
});

t.test('a file is written to stable storage before a transfer counts', async (t) => {
  const path = join(t.testdir(), 'copy');
  const copy = await outputToStandard(openSync(path, 'w')).begin();
  copy.stream.write('one');
  await copy.commit();
  t.equal(readFileSync(path, 'utf8'), 'one');
});

t.test('a file that cannot be synced fails the transfer, and a device is not asked', async (t) => {
  let synced = 0;
  const files = {
    fsync(_: number, done: (result: number) => void): void {
      synced += 1;
      setImmediate(() => done(-errno.EIO));
    },
  };
  const copy = await outputToStandard(openSync(join(t.testdir(), 'copy'), 'w'), files).begin();
  copy.stream.write('one');
  await t.rejects(copy.commit(), {
    code: 'EIO',
    message: 'cannot write standard output: input/output error',
  });
  t.equal(synced, 1);
  const device = await outputToStandard(openSync('/dev/null', 'w'), files).begin();
  await device.commit();
  t.equal(synced, 1);
});

t.test('a standard output that the process was started without is refused', async (t) => {
  // What Node has in its place.
  const fd = openSync('/dev/null', 'r+');
  t.teardown(() => closeSync(fd));
  t.throws(() => outputToStandard(fd), {
    code: 'EBADF',
    message: 'standard output is closed: redirect it (> COPY), or name a file with --output FILE',
  });
});

t.test('an error between two transfers is none until the next one', async (t) => {
  const pipe = new PassThrough();
  const output = outputToStandard(pipe);
  pipe.destroy(Object.assign(new Error('gone'), { code: 'EPIPE', errno: -errno.EPIPE }));
  await new Promise(setImmediate);
  t.equal((await output.begin()).stream.errored?.message, 'gone');
});

t.test('a full disk is an error of the transfer', async (t) => {
  const copy = await outputToStandard(openSync('/dev/full', 'w')).begin();
  copy.stream.write('bytes');
  await t.rejects(copy.commit(), {
    code: 'ENOSPC',
    message: 'cannot write standard output: no space left on device',
  });
  t.notOk(copy.stream.destroyed, 'the descriptor stays open: it is the process’s');
});

t.test('a pipe that is full can be closed all the same', async (t) => {
  const fifo = join(t.testdir(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Nothing reads what this could.
  const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const { stream } = await outputToStandard(openSync(fifo, 'w')).begin();
  t.notOk(stream.write(Buffer.alloc(4 * 1024 * 1024)));
  await new Promise((resolve) => setImmediate(resolve));
  stream.destroy();
  await once(stream, 'close');
});
