// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, IPPROTO_TCP, type Posix, type SentDone, TCP_NODELAY } from '../../../../src/posix/index.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
import { POLL_READ_FD, POLL_WRITE_FD } from '../../../../src/scheduler/event.js';
import { connection, type End } from '../connection.js';

/** A stream that writes down what its taker hears. */
function heard({ timers, fd }: End) {
  const chunks: Buffer[] = [];
  const log: string[] = [];
  const stream: PeerStream = new PeerStream(timers, fd, {
    bytes: (chunk) => chunks.push(Buffer.from(chunk)),
    drained: () => log.push(`drained to ${stream.queuedBytes}`),
    ended: (reason) => log.push(`ended: ${reason}`),
  });
  return { stream, log, bytes: () => Buffer.concat(chunks), chunks };
}

const counting = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));

t.test('bytes come as they were sent, once the other side reads', async (t) => {
  const { world, near, far } = await connection();
  const [one, other] = [heard(near), heard(far)];
  one.stream.send(counting(1000));
  await world.run(0.1);
  t.same([one.stream.sentBytes, one.stream.queuedBytes], [1000, 0]);
  t.equal(other.stream.receivedBytes, 0, 'a new stream does not read');
  other.stream.resume();
  other.stream.resume();
  await world.run(0.1);
  t.ok(other.bytes().equals(counting(1000)));
  t.equal(other.stream.receivedBytes, 1000);
  other.stream.pause();
  one.stream.send(Buffer.from('more'));
  one.stream.send(Buffer.from(' and more'));
  await world.run(0.1);
  t.equal(other.stream.receivedBytes, 1000, 'nor does one that is paused');
  other.stream.resume();
  await world.run(0.1);
  t.equal(other.bytes().subarray(1000).toString(), 'more and more');
  t.same([one.log, other.log], [[], []]);
});

t.test('small messages are not held back', async (t) => {
  const { near } = await connection();
  const set: number[][] = [];
  const setsockopt = near.host.posix.setsockopt.bind(near.host.posix);
  near.host.posix.setsockopt = (fd, level, option, value) => {
    set.push([fd, level, option, value]);
    return setsockopt(fd, level, option, value);
  };
  heard(near).stream.close();
  t.same(set, [[near.fd, IPPROTO_TCP, TCP_NODELAY, 1]]);
});

t.test('what the system does not take waits; each half of it that goes is reported', async (t) => {
  const { world, near, far } = await connection();
  const one = heard(near);
  const bytes = counting(1_000_000);
  const sent = Buffer.from(bytes);
  one.stream.send(sent);
  sent.fill(0);
  one.stream.send(Buffer.from('end'));
  const { sentBytes, queuedBytes } = one.stream;
  t.ok(sentBytes > 0 && queuedBytes > 0);
  t.equal(sentBytes + queuedBytes, 1_000_003);
  await world.run(0.5);
  t.same(one.log, [], 'nothing yet: the other side does not read');
  const other = heard(far);
  other.stream.resume();
  await world.run(() => one.stream.queuedBytes <= queuedBytes / 2);
  const [first] = one.log;
  t.equal(one.log.length, 1);
  t.ok(Number(first?.match(/\d+/)?.[0]) <= queuedBytes / 2);
  await world.run(() => one.stream.queuedBytes === 0);
  await world.run(1);
  t.ok(other.bytes().equals(Buffer.concat([bytes, Buffer.from('end')])));
  const steps = one.log.map((line) => Number(line.match(/\d+/)?.[0]));
  for (const [index, step] of steps.entries())
    if (index > 0) t.ok(step <= (steps[index - 1] as number) / 2, `${step} is half, or less`);
  t.equal(steps.at(-1), 0, 'down to the last byte');
  one.stream.send(Buffer.from('!'));
  await world.run(0.1);
  t.equal(one.log.length, steps.length, 'what goes at once is no news');
});

t.test('a gate keeps back what is sent after it, and nothing else', async (t) => {
  const { world, near, far } = await connection();
  const [one, other] = [heard(near), heard(far)];
  other.stream.resume();
  one.stream.send(Buffer.from('a'));
  const openFirst = one.stream.gate();
  one.stream.send(Buffer.from('b'));
  const openSecond = one.stream.gate();
  one.stream.send(Buffer.from('c'));
  await world.run(0.1);
  t.same([other.bytes().toString(), one.stream.queuedBytes], ['a', 2]);
  openSecond();
  await world.run(0.1);
  t.equal(other.bytes().toString(), 'a', 'the first one is closed');
  openFirst();
  openFirst();
  await world.run(0.1);
  t.same([other.bytes().toString(), one.stream.queuedBytes], ['abc', 0]);
  one.stream.send(Buffer.from('d'));
  await world.run(0.1);
  t.equal(other.bytes().toString(), 'abcd');
});

t.test('the end of the other side is reported once, after what came before it', async (t) => {
  const { world, near, far } = await connection();
  const [one, other] = [heard(near), heard(far)];
  other.stream.resume();
  one.stream.send(Buffer.from('last'));
  one.stream.close();
  await world.run(0.1);
  t.same(other.chunks.map(String), ['last'], 'the end itself is no bytes');
  t.same(other.log, ['ended: the peer closed the connection']);
  t.ok(other.stream.isOver);
  t.same(one.log, [], 'one that is closed reports nothing');
});

t.test('a connection that breaks while it is read is reported with its error', async (t) => {
  const { world, near, far } = await connection();
  const one = heard(near);
  one.stream.resume();
  near.host.failCalls({ calls: ['read'], nth: 1, error: errno.ECONNRESET });
  far.host.posix.write(far.fd, Buffer.from('x'));
  await world.run(0.1);
  t.match(one.log, [/^ended: receiving failed: ECONNRESET \(.+\)$/]);
  t.ok(one.stream.isOver);
  t.same([one.chunks, one.stream.receivedBytes], [[], 0]);
});

t.test('one that breaks while it is sent on is reported by an event of its own', async (t) => {
  const { world, near } = await connection();
  const one = heard(near);
  near.host.failCalls({ calls: ['write'], nth: 1, error: errno.EPIPE });
  one.stream.send(Buffer.from('lost'));
  t.same(one.log, [], 'not while somebody sends');
  t.ok(one.stream.isOver);
  one.stream.send(Buffer.from('more'));
  t.same([one.stream.sentBytes, one.stream.queuedBytes], [0, 0]);
  await world.run(0.1);
  t.match(one.log, [/^ended: sending failed: EPIPE/]);
  await world.run(1);
  t.equal(one.log.length, 1);
});

t.test('so is one that breaks while what waits is sent', async (t) => {
  const { world, near, far, come } = await connection();
  const one = heard(near);
  one.stream.send(counting(500_000));
  await world.run(0.1);
  const fault = near.host.failCalls({ calls: ['write'], nth: 1, error: errno.EPIPE });
  come(far);
  await world.run(0.5);
  t.equal(fault.failed, 1);
  t.match(one.log, [/^ended: sending failed: EPIPE/]);
  t.equal(one.stream.queuedBytes, 0);
});

t.test('a stream that was closed sends nothing, reads nothing and closes nothing twice', async (t) => {
  const { world, near, far, come } = await connection();
  const one = heard(near);
  one.stream.send(counting(500_000));
  const open = one.stream.gate();
  one.stream.close();
  const reused = near.host.posix.eventfd();
  t.equal(reused, near.fd, 'the descriptor is free');
  one.stream.close();
  open();
  one.stream.resume();
  one.stream.send(Buffer.from('no'));
  await world.run(0.5);
  t.same([one.stream.queuedBytes, one.stream.isOver], [0, true]);
  t.ok(near.host.posix.close(reused) === 0, 'and is not closed by it again');
  t.ok(come(far).length < 500_000);
  t.same(one.log, []);
});

t.test('where no event can be had the connection is over', async (t) => {
  const { world, near, far } = await connection();
  const log: string[] = [];
  const registrar = {
    registerEvent: () => -errno.ENOMEM,
    unregisterEvent: () => {},
    setMaxTimeout: () => 0,
  };
  const stream = new PeerStream({ registrar, posix: near.host.posix }, near.fd, {
    bytes: () => {},
    drained: () => {},
    ended: (reason) => log.push(reason),
  });
  stream.resume();
  await world.run(0.1);
  t.match(log, [/^registering an event failed: ENOMEM/]);
  t.ok(far.host.isAlive);
});

t.test('one that is paused by what it has read reads no more, and one that is closed neither', async (t) => {
  for (const how of ['pause', 'close'] as const) {
    const { world, near, far } = await connection();
    let reads = 0;
    const stream = new PeerStream(near.timers, near.fd, {
      bytes: () => {
        reads += 1;
        stream[how]();
      },
      drained: () => {},
      ended: () => t.fail('it has not ended'),
    });
    stream.resume();
    far.host.posix.write(far.fd, Buffer.alloc(100));
    await world.run(0.1);
    far.host.posix.write(far.fd, Buffer.alloc(100));
    await world.run(0.1);
    t.equal(reads, 1);
  }
});

t.test('one that never ends to send does not keep others from their turn', async (t) => {
  const { near } = await connection();
  let reads = 0;
  const { posix } = near.host;
  posix.read = (_fd, buffer) => {
    reads += 1;
    return buffer.length;
  };
  const fired: (() => void)[] = [];
  const registrar = {
    registerEvent: (_mode: number, _fd: number, _timeout: number, callback: () => void) =>
      fired.push(callback),
    unregisterEvent: () => {},
  };
  const stream = new PeerStream({ registrar: registrar as never, posix }, near.fd, {
    bytes: () => {},
    drained: () => {},
    ended: () => {},
  });
  stream.resume();
  fired[0]?.();
  t.equal(reads, 4);
  t.equal(stream.receivedBytes, 4 * (256 << 10));
});

t.test('to send nothing is nothing', async (t) => {
  const { world, near, far, come } = await connection();
  const one = heard(near);
  one.stream.send(new Uint8Array(0));
  await world.run(0.1);
  t.same([one.log, one.stream.isOver, one.stream.sentBytes, one.stream.queuedBytes], [[], false, 0, 0]);
  one.stream.send(Buffer.from('something'));
  await world.run(0.1);
  t.equal(come(far).toString(), 'something');
});

t.test('once nothing waits nobody is asked whether more could be sent', async (t) => {
  const { world, near, far, come } = await connection();
  const one = heard(near);
  one.stream.send(counting(500_000));
  t.equal(near.host.leftovers().filter((line) => line.endsWith(`on descriptor ${near.fd}`)).length, 1);
  for (let count = 0; count < 30; count++) {
    come(far);
    await world.run(0.1);
  }
  t.equal(one.stream.queuedBytes, 0);
  t.same(
    near.host.leftovers().filter((line) => line.endsWith(`on descriptor ${near.fd}`)),
    [],
  );
});

t.test('what is queued goes with what follows, once it is much, or when it is flushed', async (t) => {
  const { world, near, far, come } = await connection();
  const one = heard(near);
  one.stream.queue(Buffer.from('a'));
  await world.run(0.1);
  t.same([one.stream.sentBytes, one.stream.queuedBytes], [0, 1]);
  one.stream.send(Buffer.from('b'));
  t.same([one.stream.sentBytes, one.stream.queuedBytes], [2, 0]);
  one.stream.queue(Buffer.from('c'));
  one.stream.flushSoon();
  t.equal(one.stream.queuedBytes, 1, 'in the next pass');
  await world.run(0.1);
  t.equal(come(far).toString(), 'abc');
  one.stream.queue(Buffer.from('d'));
  one.stream.flush();
  t.equal(one.stream.queuedBytes, 0);
  one.stream.queue(counting(128 << 10));
  t.ok(one.stream.sentBytes > 4, 'callers that wait for room would wait for ever');
  await world.run(0.1);
  t.same(
    one.log.filter((line) => line.startsWith('ended')),
    [],
  );
});

/** A stream over calls that a test answers, and events that it fires. */
async function byHand(more: Partial<Posix> = {}) {
  const { near } = await connection();
  const calls = { room: 0, writes: 0, reads: 0, readBytes: 0 };
  const registered = new Map<number, { readonly mode: number; readonly fire: () => void }>();
  const unregistered: number[] = [];
  let id = 0;
  const registrar = {
    registerEvent: (mode: number, _fd: number, _timeout: number, fire: () => void) => {
      registered.set(id, { mode, fire });
      return id++;
    },
    unregisterEvent: (its: number) => {
      unregistered.push(its);
      registered.delete(its);
    },
    setMaxTimeout: () => 0,
  };
  const { posix } = near.host;
  Object.assign(posix, {
    write: (_fd: number, bytes: Uint8Array) => {
      calls.writes += 1;
      const taken = Math.min(calls.room, bytes.length);
      calls.room -= taken;
      return taken === 0 ? -errno.EAGAIN : taken;
    },
    read: () => {
      calls.reads += 1;
      return calls.readBytes;
    },
    ...more,
  });
  const side = heard({ ...near, timers: { registrar: registrar as never, posix } });
  const fire = (mode: number): void => {
    for (const event of registered.values()) if (event.mode === mode) event.fire();
  };
  /** The system takes so much more, and says so. */
  const allow = (bytes: number): void => {
    calls.room += bytes;
    fire(POLL_WRITE_FD);
  };
  return { ...side, fd: near.fd, calls, registered, unregistered, fire, allow };
}

t.test('what is added while something waits counts for the half that is reported', async (t) => {
  const { stream, log, allow } = await byHand();
  stream.send(Buffer.alloc(1000));
  stream.send(Buffer.alloc(1000));
  allow(999);
  t.same(log, []);
  allow(1);
  t.same(log, ['drained to 1000']);
  allow(499);
  t.equal(log.length, 1);
  allow(1);
  t.same(log, ['drained to 1000', 'drained to 500']);
  stream.send(Buffer.alloc(100));
  allow(299);
  t.equal(log.length, 2, 'half of the 600 that wait now');
  allow(1);
  t.equal(log.at(-1), 'drained to 300');
  allow(300);
  t.equal(log.at(-1), 'drained to 0');
  allow(10);
  stream.send(Buffer.alloc(10));
  t.equal(log.length, 4, 'what goes at once is no news');
  stream.send(Buffer.alloc(3));
  allow(1);
  t.equal(log.length, 4, 'two of three are more than half of them');
  allow(1);
  allow(1);
  t.same(log.slice(4), ['drained to 1', 'drained to 0']);
});

t.test('half of an odd number of bytes is the smaller half', async (t) => {
  const { stream, log, allow } = await byHand();
  stream.send(Buffer.alloc(4));
  stream.send(Buffer.alloc(3));
  const heardAfterEach = Array.from({ length: 7 }, () => {
    allow(1);
    return log.splice(0).join();
  });
  t.same(heardAfterEach, ['', '', '', 'drained to 3', '', 'drained to 1', 'drained to 0']);
});

t.test('a system that takes nothing is not asked again by each that sends', async (t) => {
  const { stream, calls, registered, allow } = await byHand();
  stream.send(Buffer.alloc(100));
  stream.send(Buffer.alloc(100));
  stream.queue(Buffer.alloc(128 << 10));
  stream.flush();
  t.equal(calls.writes, 1);
  t.same(
    [...registered.values()].map(({ mode }) => mode),
    [POLL_WRITE_FD],
    'one event waits until it does',
  );
  allow(1 << 20);
  t.same([stream.queuedBytes, stream.sentBytes, registered.size], [0, 200 + (128 << 10), 0]);
  calls.room = 100;
  const { writes } = calls;
  stream.send(Buffer.alloc(100));
  t.same([calls.writes, stream.queuedBytes], [writes + 1, 0], 'then it is again');
});

t.test('128 KiB that are queued are sent, and no less', async (t) => {
  const { stream, calls } = await byHand();
  calls.room = 1 << 20;
  stream.queue(Buffer.alloc((128 << 10) - 1));
  t.equal(stream.sentBytes, 0);
  stream.queue(Buffer.alloc(1));
  t.equal(stream.sentBytes, 128 << 10);
  stream.flushSoon();
  t.equal(stream.queuedBytes, 0);
});

t.test('a stream has one event to read by while it reads, and none otherwise', async (t) => {
  const { stream, registered, unregistered } = await byHand();
  stream.pause();
  t.same([registered.size, unregistered], [0, []]);
  stream.resume();
  stream.resume();
  t.equal(registered.size, 1);
  stream.pause();
  stream.pause();
  t.same([registered.size, unregistered], [0, [0]], 'which is given up once');
  stream.resume();
  stream.flushSoon();
  t.equal(registered.size, 1, 'nothing waits to be sent');
  stream.close();
  stream.close();
  stream.resume();
  t.same([registered.size, unregistered], [0, [0, 1]]);
});

t.test(
  'a read that fills the buffer is followed by another one, unless its taker pauses or closes',
  async (t) => {
    for (const [how, bytes, reads] of [
      ['neither', 256 << 10, 4],
      ['neither', (256 << 10) - 1, 1],
      ['neither', -errno.EAGAIN, 1],
      ['pause', 256 << 10, 1],
      ['close', 256 << 10, 1],
    ] as const) {
      const { stream, calls, fire, log } = await byHand();
      calls.readBytes = bytes;
      stream.events = {
        ...stream.events,
        bytes: () => {
          if (how !== 'neither') stream[how]();
        },
      };
      stream.resume();
      fire(POLL_READ_FD);
      t.equal(calls.reads, reads, `${how} after ${bytes} bytes`);
      t.same(log, []);
      t.equal(stream.isOver, how === 'close');
    }
  },
);

t.test('where the system can send what is not copied yet, it keeps that until it is', async (t) => {
  const copied: SentDone[] = [];
  const sent: Buffer[] = [];
  const dedicated: number[] = [];
  const { stream, fd, calls } = await byHand({
    dedicate: (its) => dedicated.push(its),
    send: (_fd, parts, done) => {
      copied.push(done);
      sent.push(...parts.map((part) => part as Buffer));
      return parts.reduce((sum, part) => sum + part.length, 0);
    },
  });
  t.same(dedicated, [fd]);
  stream.send(Buffer.alloc(1000, 1));
  t.same([stream.sentBytes, stream.queuedBytes, calls.writes], [1000, 0, 0]);
  stream.send(Buffer.alloc(1000, 2));
  t.ok(
    sent[0]?.every((byte) => byte === 1),
    'it is not written over',
  );
  for (const done of copied) done(false);
});

t.test('where it cannot, bytes are written; another error ends the stream', async (t) => {
  const without = await byHand({ send: () => -errno.EOPNOTSUPP });
  without.calls.room = 100;
  without.stream.send(Buffer.alloc(60));
  t.same([without.stream.sentBytes, without.calls.writes], [60, 1]);
  const broken = await byHand({ send: () => -errno.ECONNRESET });
  broken.stream.send(Buffer.alloc(60));
  t.same([broken.stream.isOver, broken.calls.writes, broken.log], [true, 0, []]);
  broken.fire(POLL_WRITE_FD);
  t.match(broken.log, [/^ended: sending failed: ECONNRESET \(.+\)$/]);
  t.equal(broken.registered.size, 0);
});

t.test('a gate that is opened sends what it kept back at once', async (t) => {
  const { stream, calls, registered } = await byHand();
  calls.room = 100;
  const open = stream.gate();
  stream.send(Buffer.alloc(10));
  t.same([stream.sentBytes, registered.size], [0, 0], 'nobody waits to be able to send it');
  open();
  t.equal(stream.sentBytes, 10);
});

t.test('a stream that has failed and was closed waits for nothing, whatever is asked of it', async (t) => {
  const { stream, registered } = await byHand({ send: () => -errno.ECONNRESET });
  const open = stream.gate();
  stream.send(Buffer.alloc(10));
  t.equal(stream.isOver, false);
  const openLater = stream.gate();
  open();
  t.equal(stream.isOver, true, 'sending fails');
  stream.close();
  openLater();
  stream.resume();
  stream.send(Buffer.alloc(10));
  stream.queue(Buffer.alloc(10));
  stream.flushSoon();
  t.equal(registered.size, 0);
});
