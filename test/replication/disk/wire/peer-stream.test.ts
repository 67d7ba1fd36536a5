// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, IPPROTO_TCP, TCP_NODELAY } from '../../../../src/posix/index.js';
import { PeerStream } from '../../../../src/replication/disk/wire/peer-stream.js';
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
  t.equal(other.bytes().toString(), 'last');
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
