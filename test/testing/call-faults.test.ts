// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, EAI_AGAIN, EAI_FAIL, errno, errnoName, SOCK_STREAM } from '../../src/posix/index.js';
import { CALL_NAMES, CallFault, type SimulatedHost, TYPICAL_ERRORS } from '../../src/testing/index.js';
import { addressOf, connected, twoHosts } from './fixture.js';

function socket(host: SimulatedHost): string {
  const fd = host.posix.socket(AF_INET, SOCK_STREAM);
  return fd < 0 ? (errnoName(fd) ?? String(fd)) : 'ok';
}

t.test('the n-th call of a kind fails once, and other kinds do not count', async (t) => {
  const { near, far } = twoHosts();
  const fault = near.failCalls({ calls: ['socket'], nth: 3, error: errno.ENFILE });
  const answers = [socket(near), near.posix.eventfd(), socket(near), socket(far), socket(near), socket(near)];
  t.same(answers, ['ok', 4, 'ok', 'ok', 'ENFILE', 'ok']);
  t.equal(fault.failed, 1);
  t.equal(fault.lastFailed, 'socket');
  t.ok(fault.isOver);
});

t.test('several calls in a row can fail, or all, or those that a function selects', async (t) => {
  const { near } = twoHosts();
  near.failCalls({ calls: ['socket'], nth: 2, times: 2, error: errno.ENOBUFS });
  t.same(
    [1, 2, 3, 4].map(() => socket(near)),
    ['ok', 'ENOBUFS', 'ENOBUFS', 'ok'],
  );
  const all = near.failCalls({ times: Infinity, error: errno.ENOMEM });
  t.same(
    [1, 2, 3].map(() => socket(near)),
    ['ENOMEM', 'ENOMEM', 'ENOMEM'],
  );
  all.cancel();
  t.equal(socket(near), 'ok');
  const asked: string[] = [];
  near.failCalls({
    times: Infinity,
    error: (call) => {
      asked.push(call);
      return call === 'eventfd' ? errno.EMFILE : undefined;
    },
  });
  t.same([socket(near), near.posix.eventfd()], ['ok', -errno.EMFILE]);
  t.same(asked, ['socket', 'eventfd']);
  t.equal(near.failCalls({ error: errno.ENOMEM }).calls, 0);
  t.equal(all.calls, 3);
});

t.test('a call that fails has no effect, but for close, which frees the number as Linux does', async (t) => {
  const { near, far } = twoHosts();
  const { posix } = far;
  const fd = posix.socket(AF_INET, SOCK_STREAM);
  far.failCalls({ calls: ['bind'], error: errno.EADDRINUSE });
  t.equal(posix.bind(fd, addressOf(far)), -errno.EADDRINUSE);
  t.equal(posix.bind(fd, addressOf(far)), 0);
  far.failCalls({ calls: ['close'], error: errno.EIO });
  t.equal(posix.close(fd), -errno.EIO);
  t.equal(posix.close(fd), -errno.EBADF);
  t.same(near.posix.openDescriptors(), []);
});

t.test('accept, read and write can fail once in mid-connection, then continue', async (t) => {
  const { world, near, far, one, other } = await connected();
  near.failCalls({ calls: ['write'], error: errno.EINTR });
  t.equal(near.posix.write(one, Buffer.from('abc')), -errno.EINTR);
  t.equal(near.posix.write(one, Buffer.from('abc')), 3);
  await world.run(1);
  far.failCalls({ calls: ['read'], error: errno.EIO });
  t.equal(far.posix.read(other, Buffer.alloc(3)), -errno.EIO);
  t.equal(far.posix.read(other, Buffer.alloc(3)), 3);
});

t.test('select and the lookups can fail; getaddrinfo and resolve with EAI_ codes', async (t) => {
  const { world, near } = twoHosts();
  near.failCalls({ calls: ['select'], error: errno.EINTR });
  t.equal(await world.complete(near.posix.select({}, 5)), -errno.EINTR);
  t.ok(world.nowSeconds < 1, 'without waiting');
  t.same(await world.complete(near.posix.select({}, 0)), { read: [], write: [], except: [] });
  near.failCalls({ calls: ['getaddrinfo'], error: EAI_FAIL });
  t.equal(near.posix.getaddrinfo('10.0.0.2', '1'), EAI_FAIL);
  near.failCalls({ calls: ['resolve'], error: EAI_AGAIN });
  t.equal(await near.posix.resolve('10.0.0.2', '1'), EAI_AGAIN);
});

t.test('of two faults for the same call the older applies, and both count it', async (t) => {
  const { near } = twoHosts();
  near.failCalls({ calls: ['socket'], nth: 2, error: errno.ENFILE });
  near.failCalls({ calls: ['socket'], nth: 2, times: 2, error: errno.ENOMEM });
  t.same(
    [1, 2, 3, 4].map(() => socket(near)),
    ['ok', 'ENFILE', 'ENOMEM', 'ok'],
  );
});

t.test('a fault shared by several hosts counts the calls of all of them', async (t) => {
  const { near, far } = twoHosts();
  const fault = new CallFault({ nth: 3, error: errno.EMFILE });
  near.failCalls(fault);
  far.failCalls(fault);
  t.same([socket(near), socket(far), socket(near), socket(far)], ['ok', 'ok', 'EMFILE', 'ok']);
});

t.test('a fault applies to the next process too', async (t) => {
  const { near } = twoHosts();
  near.failCalls({ nth: 2, error: errno.EMFILE });
  socket(near);
  near.restart();
  t.equal(socket(near), 'EMFILE');
});

t.test('invalid numbers are refused by name', async (t) => {
  for (const nth of [0, 1.5, Number.NaN]) {
    t.throws(() => new CallFault({ nth, error: 1 }), { name: 'RangeError', message: /^nth is/ });
  }
  for (const times of [0, Number.NaN]) {
    t.throws(() => new CallFault({ times, error: 1 }), { name: 'RangeError', message: /^times is/ });
  }
});

t.test('an injected failure is marked in the trace', async (t) => {
  const { world, near } = twoHosts();
  near.failCalls({ error: errno.EMFILE });
  socket(near);
  t.same(world.trace.lines, ['   0.000000 10.0.0.1 socket(AF_INET, SOCK_STREAM) = -EMFILE (made to fail)']);
});

t.test('every kind of call has its typical errors', async (t) => {
  for (const call of CALL_NAMES) t.ok(TYPICAL_ERRORS[call].length > 0, call);
});
