// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// One exchange on a descriptor whose calls are scripted; test/server/exchange-listener.test.ts has them on sockets.

import t from 'tap';
import { errno, NodePosix } from '../../src/posix/index.js';
import { modeName, POLL_READ_FD, POLL_WRITE_FD, Scheduler } from '../../src/scheduler/index.js';
import { Exchange, type ExchangeProtocol } from '../../src/server/exchange.js';
import { ManualClock } from '../control/world.js';
import { MemoryPoller } from '../scheduler/memory-poller.js';

const FD = 7;

/** One descriptor that reads and writes what the test lays out, and whose end is noted. */
class ScriptedPosix extends NodePosix {
  /** The next reads: bytes, or results. */
  readonly reads: (string | number)[] = [];
  /** How many bytes the next writes take, or their errors; past their end all are taken. */
  readonly takes: number[] = [];
  written = '';
  readonly ends: string[] = [];

  override read(_: number, buffer: Uint8Array): number {
    const next = this.reads.shift() ?? -errno.EAGAIN;
    return typeof next === 'number'
      ? next
      : Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length).write(next);
  }

  override write(_: number, bytes: Uint8Array): number {
    const taken = this.takes.shift() ?? bytes.length;
    if (taken > 0) this.written += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  }

  override close(): number {
    this.ends.push('closed');
    return 0;
  }

  override unsent(): number {
    return 1;
  }

  override abort(): number {
    this.ends.push('reset');
    return 0;
  }
}

/** Requests end with a full stop, and have four bytes at most. */
function exchange(more: Partial<ExchangeProtocol> = {}) {
  const clock = new ManualClock();
  const posix = new ScriptedPosix({ clock });
  const poller = new MemoryPoller();
  const scheduler = new Scheduler({ poller, clock });
  const requests: string[] = [];
  const why: string[] = [];
  const protocol = {
    maxRequestBytes: 4,
    requestLength: (received: Uint8Array) => received.indexOf('.'.charCodeAt(0)) + 1,
    answer: (request: Uint8Array) => void requests.push(Buffer.from(request).toString()),
    ...more,
  };
  const one = new Exchange(FD, {
    registrar: scheduler,
    posix,
    protocol,
    slowClientSeconds: 2,
    onClosed: (_, reason) => void why.push(reason),
  });
  one.start();
  const ready = async (conditions: number, ...reads: (string | number)[]): Promise<void> => {
    posix.reads.push(...reads);
    poller.answers.push([{ fd: FD, conditions }]);
    await scheduler.waitForEvents();
  };
  const second = async (): Promise<void> => {
    clock.seconds += 1;
    await scheduler.waitForEvents();
  };
  const watched = (): string[] => [...scheduler.events()].map(({ mode }) => modeName(mode));
  return { clock, one, posix, ready, requests, second, watched, why };
}

t.test('a request is collected from its pieces, and what follows it is no part of it', async (t) => {
  const { one, posix, ready, requests, watched, why } = exchange();
  t.same(watched(), ['READ|TIMEOUT']);
  t.match(one, { isCollecting: true, isDispensable: true, isAbandoned: false });
  await ready(POLL_READ_FD, 'a');
  await ready(POLL_READ_FD, -errno.EAGAIN);
  t.same([requests, why], [[], []]);
  await ready(POLL_READ_FD, 'b.c');
  t.same(requests, ['ab.']);
  t.match(one, { isCollecting: false, isDispensable: false, isAbandoned: false });
  t.same(watched(), ['READ'], 'while it is answered it has no deadline');
  one.send(Buffer.from('x'));
  one.send(Buffer.from('yz'));
  t.equal(posix.written, '', 'nothing goes out before the answer is complete');
  one.end();
  t.same([posix.written, posix.ends, why, watched()], ['xyz', ['closed'], ['answered'], []]);
});

t.test('a client that ends within its request, or sends nothing in time, is reset', async (t) => {
  const ended = exchange();
  await ended.ready(POLL_READ_FD, 'ab');
  await ended.ready(POLL_READ_FD, 0);
  t.same(ended.why, ['it ended within its request, after 2 bytes']);
  t.same(ended.posix.ends, ['reset']);
  const slow = exchange();
  await slow.second();
  await slow.second();
  t.same(slow.why, []);
  await slow.second();
  t.same(slow.why, ['no progress in 2 s']);
});

t.test('a request that needs its client is not begun for one that has ended', async (t) => {
  for (const end of [0, -errno.ECONNRESET]) {
    const { ready, requests, posix, why } = exchange({ needsClient: true });
    await ready(POLL_READ_FD, 'ab.', end);
    t.same([requests, posix.ends, why], [[], ['reset'], ['it ended before its request was begun']]);
  }
  for (const next of [-errno.EAGAIN, 'c']) {
    const { ready, requests } = exchange({ needsClient: true });
    await ready(POLL_READ_FD, 'ab.', next);
    t.same(requests, ['ab.'], 'it waits, or goes on sending');
  }
  const { ready, requests } = exchange();
  await ready(POLL_READ_FD, 'ab.', 0);
  t.same(requests, ['ab.'], 'another may have closed only its own direction');
});

t.test(
  'a request of as many bytes as are allowed may be whole; one without its end is too long',
  async (t) => {
    const whole = exchange();
    await whole.ready(POLL_READ_FD, 'abc.');
    t.same(whole.requests, ['abc.']);
    const dropped = exchange();
    await dropped.ready(POLL_READ_FD, 'abc');
    t.same(dropped.why, []);
    await dropped.ready(POLL_READ_FD, 'd');
    t.same(dropped.why, ['its request is too long']);
    const refused = exchange({
      tooLong(reply) {
        reply.send(Buffer.from('too long'));
        reply.end();
      },
    });
    await refused.ready(POLL_READ_FD, 'abcd');
    t.same([refused.posix.written, refused.why], ['too long', ['answered']]);
  },
);

t.test('while it waits for its answer only the end of a client counts', async (t) => {
  const waiting = async (...reads: (string | number)[]) => {
    const all = exchange();
    await all.ready(POLL_READ_FD, 'a.');
    for (const read of reads) await all.ready(POLL_READ_FD, read);
    return { ...all, isAbandoned: all.one.isAbandoned };
  };
  const spurious = await waiting(-errno.EAGAIN);
  t.equal(spurious.isAbandoned, false);
  t.same(spurious.watched(), ['READ'], 'it is watched on');
  const more = await waiting('more');
  t.equal(more.isAbandoned, false);
  t.same(more.watched(), [], 'who sends more is not listened to');
  for (const end of [0, -errno.ECONNRESET]) {
    const gone = await waiting(end);
    t.equal(gone.isAbandoned, true);
    t.equal(gone.one.isDispensable, true);
    t.same(gone.why, [], 'the answer may still be taken');
  }
});

t.test('an answer goes out as the client takes it, and must be taken in time', async (t) => {
  const { one, posix, ready, second, watched, why } = exchange();
  await ready(POLL_READ_FD, 'a.');
  one.send(Buffer.from('abc'));
  one.send(Buffer.from('def'));
  posix.takes.push(2, 1, 2, -errno.EAGAIN, 0);
  one.end();
  t.same([posix.written, watched()], ['ab', ['WRITE|TIMEOUT']]);
  one.send(Buffer.from('late'));
  one.end();
  t.equal(one.isDispensable, true);
  await ready(POLL_WRITE_FD);
  t.equal(posix.written, 'abcde', 'a piece that is taken is followed by the next one');
  await ready(POLL_WRITE_FD);
  t.equal(posix.written, 'abcde');
  await second();
  await second();
  t.same(why, []);
  await ready(POLL_WRITE_FD);
  t.same([posix.written, why], ['abcde', []], 'a write that takes nothing is no end');
  await ready(POLL_WRITE_FD);
  t.same([posix.written, why, posix.ends], ['abcdef', ['answered'], ['closed']]);
  const slow = exchange();
  await slow.ready(POLL_READ_FD, 'a.');
  slow.one.send(Buffer.from('abc'));
  slow.posix.takes.push(1);
  slow.one.end();
  for (let count = 0; count < 3; count++) await slow.second();
  t.same([slow.why, slow.posix.ends], [['no progress in 2 s'], ['reset']]);
});

t.test('a client that has gone gets no answer', async (t) => {
  const { one, posix, ready, why } = exchange();
  await ready(POLL_READ_FD, 'a.');
  one.send(Buffer.from('abc'));
  posix.takes.push(-errno.EPIPE);
  one.end();
  t.same([why, posix.ends], [['it went away before its answer'], ['reset']]);
  one.drop('again');
  one.end();
  t.same([why.length, posix.ends.length], [1, 1]);
});

t.test('a connection is handed over while it is answered, and not before or after', async (t) => {
  const { one, posix, ready, watched, why } = exchange();
  t.equal(one.takeOver(), -errno.ENOTCONN);
  await ready(POLL_READ_FD, 'a.');
  one.send(Buffer.from('abc'));
  t.equal(one.takeOver(), FD);
  t.same([posix.written, posix.ends, watched(), why], ['', [], [], ['taken over']]);
  t.equal(one.takeOver(), -errno.ENOTCONN);
  one.end();
  one.drop('it is not ours any more');
  t.same([posix.written, posix.ends, why.length], ['', [], 1]);
});

t.test('without room for an event the connection is dropped', async (t) => {
  const posix = new ScriptedPosix();
  const why: string[] = [];
  new Exchange(FD, {
    registrar: { registerEvent: () => -errno.EBUSY, unregisterEvent() {}, setMaxTimeout: () => 0 },
    posix,
    protocol: { maxRequestBytes: 1, requestLength: () => 0, answer() {} },
    slowClientSeconds: 2,
    onClosed: (_, reason) => void why.push(reason),
  }).start();
  t.same([why, posix.ends], [['there is no event left'], ['reset']]);
});
