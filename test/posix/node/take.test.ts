// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { PassThrough } from 'node:stream';
import t from 'tap';
import { errno, NodePosix } from '../../../src/posix/index.js';
import { connectedTo, ManualTimers, posixFor, turns } from '../fixture.js';

t.test('take without a previous wait returns all bytes, then the end', async (t) => {
  const posix = new NodePosix();
  const stream = new PassThrough();
  const fd = posix.adopt(stream);
  t.equal(posix.take(fd), -errno.EAGAIN);
  stream.write('abc');
  const first = posix.take(fd);
  t.equal(typeof first === 'number' ? first : Buffer.from(first).toString(), 'abc');
  t.equal(posix.take(fd), -errno.EAGAIN);
  stream.end();
  let last = posix.take(fd);
  for (let turn = 0; last === -errno.EAGAIN && turn < 1000; turn++) {
    await new Promise(setImmediate);
    last = posix.take(fd);
  }
  t.equal(typeof last === 'number' ? last : last.length, 0);
  posix.close(fd);
});

t.test('the end is met without a wait before, by take and by read, while our side stays open', async (t) => {
  const posix = posixFor(t);
  for (const call of ['take', 'read'] as const) {
    const { fd, peer } = await connectedTo(t, posix);
    const last = (): unknown => (call === 'take' ? posix.take(fd) : posix.read(fd, Buffer.alloc(1)));
    peer.end();
    let result = last();
    for (let turn = 0; result === -errno.EAGAIN && turn < 1000; turn++) {
      await turns(1);
      result = last();
    }
    t.equal(result, 0, call);
    t.equal(posix.write(fd, Buffer.from('still open')), 10);
  }
});

t.test('a timer takes seconds', async (t) => {
  const timers = new ManualTimers();
  const posix = new NodePosix({ timers });
  const fd = posix.timerfd();
  t.equal(posix.timerfdSettime(fd, 2.5), 0);
  const bytes = Buffer.alloc(8);
  timers.pass(2499);
  t.equal(posix.read(fd, bytes), -errno.EAGAIN);
  timers.pass(1);
  t.equal(posix.read(fd, bytes), 8);
  posix.close(fd);
});
