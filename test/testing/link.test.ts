// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno, SHUT_WR } from '../../src/posix/index.js';
import { type SimulatedHost, SimulatedWorld } from '../../src/testing/index.js';
import { connected, dial, listenOn, outcome, readText, twoHosts, writeText } from './fixture.js';

t.test('a segment takes the latency of one direction, and its answer that of the other', async (t) => {
  const { world, near, far } = twoHosts();
  world.link(near, far).shape({ latencySeconds: 0.5, jitterSeconds: 0 });
  listenOn(far);
  const fd = dial(near, far);
  t.equal(await outcome(world, near, fd), 'connected');
  t.ok(world.nowSeconds >= 1 && world.nowSeconds < 1.001, `a round trip: ${world.nowSeconds} s`);
});

t.test('the latency of each direction can differ', async (t) => {
  const { world, near, far, one, other } = await connected();
  world
    .link(near, far)
    .shape({ latencySeconds: 2, jitterSeconds: 0 }, 'forth')
    .shape({ latencySeconds: 0.25, jitterSeconds: 0 }, 'back');
  const start = world.nowSeconds;
  writeText(far.posix, other, 'quick');
  await world.complete(near.posix.select({ read: [one] }, 600));
  t.ok(world.nowSeconds - start >= 0.25 && world.nowSeconds - start < 0.3);
  const middle = world.nowSeconds;
  writeText(near.posix, one, 'slow');
  await world.complete(far.posix.select({ read: [other] }, 600));
  t.ok(world.nowSeconds - middle >= 2 && world.nowSeconds - middle < 2.1);
});

t.test('an end of file that is lost is sent again', async (t) => {
  const { world, near, far, one, other } = await connected();
  const link = world.link(near, far).cut('forth');
  t.equal(near.posix.shutdown(one, SHUT_WR), 0);
  await world.run(1);
  link.heal();
  t.match(await world.complete(far.posix.select({ read: [other] }, 600)), { read: [other] });
  t.equal(readText(far.posix, other), 'end of file');
});

t.test('a lost reset is sent again to a peer that still writes', async (t) => {
  const { world, near, far, one, other } = await connected();
  const link = world.link(near, far).cut('back');
  t.equal(far.posix.abort(other), 0);
  t.equal(writeText(near.posix, one, 'to nobody'), 9);
  await world.run(0.1);
  link.heal();
  t.match(await world.complete(near.posix.select({ read: [one] }, 600)), { read: [one] });
  t.equal(readText(near.posix, one), 'ECONNRESET');
});

t.test(
  'a host that acknowledges nothing is given up after as long as by Linux: 15 retries, or 8 once closed',
  async (t) => {
    const { world, near, far, one } = await connected();
    world.link(near, far).cut();
    const start = world.nowSeconds;
    writeText(near.posix, one, 'to nobody');
    t.match(await world.complete(near.posix.select({ read: [one] }, 1000)), { read: [one] });
    t.equal(readText(near.posix, one), 'ETIMEDOUT');
    const seconds = world.nowSeconds - start;
    t.ok(seconds >= 924.6 && seconds < 924.7, `${seconds} s`);

    const other = await connected();
    other.world.link(other.near, other.far).cut();
    writeText(other.near.posix, other.one, 'to nobody');
    other.near.posix.close(other.one);
    const connections = (): number =>
      other.near.leftovers().filter((line) => line.includes('connection')).length;
    await other.world.run(102);
    t.equal(connections(), 1);
    await other.world.run(0.3);
    t.equal(connections(), 0);
  },
);

t.test('a host that was unreachable can be reached when the link is healed', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  const link = world.link(near, far).unreachable(errno.EHOSTUNREACH, 1);
  t.equal(await outcome(world, near, dial(near, far)), 'EHOSTUNREACH');
  link.heal();
  t.equal(await outcome(world, near, dial(near, far)), 'connected');
});

t.test('bandwidth bounds how fast bytes arrive', async (t) => {
  const { world, near, far, one, other } = await connected();
  world.link(near, far).shape({ bytesPerSecond: 10_000 });
  const start = world.nowSeconds;
  let received = 0;
  let sent = near.posix.write(one, new Uint8Array(50_000));
  while (received < 50_000) {
    await world.complete(far.posix.select({ read: [other] }, 600));
    received += far.posix.read(other, new Uint8Array(8192));
    if (sent < 50_000) sent += Math.max(0, near.posix.write(one, new Uint8Array(50_000 - sent)));
  }
  const seconds = world.nowSeconds - start;
  t.ok(seconds > 5 && seconds < 5.5, `50,000 bytes and their headers at 10,000 a second took ${seconds} s`);
});

t.test('jitter delays, and never lets bytes overtake one another', async (t) => {
  const { world, near, far, one, other } = await connected({ buffers: { segmentBytes: 7 } });
  world.link(near, far).shape({ jitterSeconds: 1 });
  let text = '';
  for (let n = 0; n < 100; n++) {
    text += `${n} `;
    writeText(near.posix, one, `${n} `);
  }
  let received = '';
  while (received.length < text.length) {
    await world.complete(far.posix.select({ read: [other] }, 600));
    received += readText(far.posix, other);
  }
  t.equal(received, text);
});

t.test('a cut link drops everything silently; once healed, TCP retransmits it in order', async (t) => {
  const { world, near, far, one, other } = await connected();
  const link = world.link(near, far);
  writeText(near.posix, one, 'under way,');
  link.cut();
  t.notOk(link.isWhole);
  writeText(near.posix, one, 'written while cut,');
  t.same(await world.complete(far.posix.select({ read: [other] }, 30)), { read: [], write: [], except: [] });
  link.heal();
  t.ok(link.isWhole);
  writeText(near.posix, one, 'and after');
  let received = '';
  while (!received.endsWith('after')) {
    await world.complete(far.posix.select({ read: [other] }, 600));
    received += readText(far.posix, other);
  }
  t.equal(received, 'under way,written while cut,and after');
});

t.test(
  'a link cut in one direction: the bytes arrive, and are sent until their receipt does too',
  async (t) => {
    const { world, near, far, one, other } = await connected();
    const link = world.link(near, far).cut('back');
    writeText(near.posix, one, 'one way');
    await world.run(10);
    t.equal(readText(far.posix, other), 'one way');
    const lost = world.trace.lines.filter((line) => /net ACK to .* is lost/.test(line));
    t.ok(lost.length > 3, 'the receipt is lost again and again');
    link.heal();
    await world.run(20);
    t.equal(readText(far.posix, other), 'EAGAIN', 'nothing is read twice');
    t.equal(writeText(far.posix, other, 'back'), 4);
    await world.run(1);
    t.equal(readText(near.posix, one), 'back');
  },
);

t.test(
  'what was lost long ago does not count: each time the connection begins to try again anew',
  async (t) => {
    const { world, near, far, one, other } = await connected();
    const link = world.link(near, far);
    for (let round = 0; round < 20; round++) {
      link.cut();
      writeText(near.posix, one, 'x');
      await world.run(0.3);
      link.heal();
      const healed = world.nowSeconds;
      await world.complete(far.posix.select({ read: [other] }, 600));
      t.equal(readText(far.posix, other), 'x');
      t.ok(world.nowSeconds - healed < 1, `it took ${world.nowSeconds - healed} s`);
      await world.run(1);
    }
  },
);

t.test('a connection over a permanently cut link is given up after 15 minutes', async (t) => {
  const { world, near, far, one } = await connected();
  world.link(near, far).cut();
  writeText(near.posix, one, 'lost');
  const start = world.nowSeconds;
  await world.complete(near.posix.select({ read: [one] }, 3600), { limitSeconds: 3600 });
  t.equal(readText(near.posix, one), 'ETIMEDOUT');
  t.ok(
    world.nowSeconds - start > 600 && world.nowSeconds - start < 1200,
    `after ${world.nowSeconds - start} s`,
  );
  t.equal(readText(near.posix, one), 'end of file');
  t.equal(writeText(near.posix, one, 'x'), 'EPIPE');
});

t.test(
  'a connect over a cut link is tried again after 1, 3, 7 s, and succeeds when the link is healed',
  async (t) => {
    const { world, near, far } = twoHosts();
    listenOn(far);
    const link = world.link(near, far).cut();
    world.after(5, () => link.heal());
    const fd = dial(near, far);
    t.equal(await outcome(world, near, fd), 'connected');
    t.ok(world.nowSeconds > 7 && world.nowSeconds < 7.1, `${world.nowSeconds} s`);
  },
);

t.test('an unanswered connect ends with ETIMEDOUT after 127 s', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  world.link(near, far).cut();
  const fd = dial(near, far);
  t.equal(await outcome(world, near, fd), 'ETIMEDOUT');
  t.ok(world.nowSeconds > 126 && world.nowSeconds < 128, `${world.nowSeconds} s`);
});

t.test('a link that refuses resets attempts to connect and leaves connections alone', async (t) => {
  const { world, near, far, one, other } = await connected();
  const link = world.link(near, far).refuse();
  t.equal(await outcome(world, near, dial(near, far)), 'ECONNREFUSED');
  writeText(near.posix, one, 'still here');
  await world.run(1);
  t.equal(readText(far.posix, other), 'still here');
  link.heal();
  t.equal(await outcome(world, near, dial(near, far)), 'connected');
});

t.test('an unreachable network reports it at once, or after a while', async (t) => {
  const { world, near, far } = twoHosts();
  listenOn(far);
  const link = world.link(near, far).unreachable(errno.ENETUNREACH);
  const fd = dial(near, far);
  t.equal(near.posix.connect(fd, { family: 2, address: far.name, port: 9000 }), -errno.ENETUNREACH);
  link.heal().unreachable(-errno.EHOSTUNREACH, 3);
  t.equal(await outcome(world, near, dial(near, far)), 'EHOSTUNREACH');
  t.ok(world.nowSeconds >= 3 && world.nowSeconds < 3.1);
});

t.test('resetting a link resets its connections at both ends, and no others', async (t) => {
  const { world, near, far, one, other } = await connected();
  const third = world.host('10.0.0.3');
  const outside = dial(third, far);
  t.equal(await outcome(world, third, outside), 'connected');
  world.link(near, far).reset();
  t.equal(readText(near.posix, one), 'ECONNRESET');
  t.equal(readText(far.posix, other), 'ECONNRESET');
  t.equal(readText(far.posix, other), 'end of file');
  t.equal(readText(third.posix, outside), 'EAGAIN');
});

t.test('a partition separates a group from everybody else, but not its members', async (t) => {
  const world = new SimulatedWorld();
  const [a, b, c] = [world.host('10.0.0.1'), world.host('10.0.0.2'), world.host('10.0.0.3')];
  for (const host of [a, b, c]) listenOn(host);
  world.partition(a, b);
  t.equal(await outcome(world, a, dial(a, b)), 'connected');
  const out = dial(a, c);
  t.same(await world.complete(a.posix.select({ write: [out] }, 10)), { read: [], write: [], except: [] });
  world.heal();
  t.equal(await outcome(world, a, out), 'connected');
});

t.test('conditions out of range are refused by name', async (t) => {
  const { world, near, far } = twoHosts();
  const link = world.link(near, far);
  t.throws(() => link.shape({ latencySeconds: -1 }), { name: 'RangeError', message: /latencySeconds is -1/ });
  t.throws(() => link.shape({ jitterSeconds: Number.NaN }), { name: 'RangeError', message: /jitterSeconds/ });
  t.throws(() => link.shape({ latencySeconds: 1e9 }), { name: 'RangeError', message: /latencySeconds/ });
  t.doesNotThrow(() => link.shape({ latencySeconds: 1e9 - 1 }));
  t.throws(() => link.shape({ bytesPerSecond: 0 }), { name: 'RangeError', message: /bytesPerSecond is 0/ });
  t.throws(() => new SimulatedWorld({ link: { bytesPerSecond: -1 } }), { name: 'RangeError' });
});

t.test('changes of a link are in the trace', async (t) => {
  const { world, near, far } = twoHosts();
  world.link(near, far).cut('forth').heal().refuse('back').shape({ latencySeconds: 1 });
  t.same(world.trace.lines, [
    '   0.000000 10.0.0.1 net link > 10.0.0.2 is cut',
    '   0.000000 10.0.0.1 net link <> 10.0.0.2 is whole',
    '   0.000000 10.0.0.1 net link < 10.0.0.2 refuses',
    '   0.000000 10.0.0.1 net link <> 10.0.0.2 is shaped {"latencySeconds":1}',
  ]);
});

t.test('a listener that closes resets what waits, once', async (t) => {
  const { world, near, far } = twoHosts();
  const listener = listenOn(far);
  const [gone, there] = [dial(near, far), dial(near, far)];
  t.equal(await outcome(world, near, gone), 'connected');
  t.equal(await outcome(world, near, there), 'connected');
  near.posix.abort(gone);
  await world.run(1);
  const before = world.trace.lines.length;
  far.posix.close(listener);
  await world.run(1);
  const resets = world.trace.lines.slice(before).filter((line) => line.includes(' net RST '));
  t.equal(resets.length, 1, 'nothing is sent to a peer that is gone');
  t.equal(readText(near.posix, there), 'ECONNRESET');
});

t.test(
  'a closed end sends what was written, and throws away what comes until that has arrived',
  async (t) => {
    const { world, near, far, one, other } = await connected({
      buffers: { sendBytes: 4000, receiveBytes: 1000, segmentBytes: 500 },
    });
    t.equal(writeText(near.posix, one, 'n'.repeat(4000)), 4000);
    await world.run(1);
    near.posix.close(one);
    // The other side reads nothing yet, and has more to say than the closed end's buffer holds.
    for (let sent = 0; sent < 5000;) {
      const count = writeText(far.posix, other, 'f'.repeat(500));
      if (typeof count === 'number') sent += count;
      await world.run(1);
      if (world.nowSeconds > 60) break;
    }
    t.ok(world.nowSeconds < 30, 'it always had room');
    let received = '';
    while (received.length < 4000) {
      await world.complete(far.posix.select({ read: [other] }, 60));
      const text = readText(far.posix, other);
      if (!/^n+$/.test(text)) break;
      received += text;
    }
    t.equal(received.length, 4000);
  },
);

t.test('TCP gives up after as long as on Linux', async (t) => {
  /** Seconds until a host has no connection left, and at most 0.01 s of travel. */
  const untilGone = async (world: SimulatedWorld, host: SimulatedHost): Promise<number> => {
    const start = world.nowSeconds;
    await world.run(() => !host.leftovers().some((line) => line.includes(' connection ')));
    return world.nowSeconds - start;
  };
  const isAbout = (seconds: number, expected: number): boolean =>
    seconds >= expected && seconds < expected + 0.01;

  const data = await connected();
  data.world.link(data.near, data.far).cut();
  writeText(data.near.posix, data.one, 'lost');
  const dataSeconds = await untilGone(data.world, data.near);
  t.ok(isAbout(dataSeconds, 924.6), `a connection whose data is lost: ${dataSeconds} s`);

  const orphan = await connected();
  orphan.world.link(orphan.near, orphan.far).cut();
  writeText(orphan.near.posix, orphan.one, 'lost');
  orphan.near.posix.close(orphan.one);
  const orphanSeconds = await untilGone(orphan.world, orphan.near);
  t.ok(isAbout(orphanSeconds, 102.2), `the same, once it is closed: ${orphanSeconds} s`);

  const waiting = await connected();
  waiting.near.posix.close(waiting.one);
  const waitingSeconds = await untilGone(waiting.world, waiting.near);
  t.ok(isAbout(waitingSeconds, 60), `a closed one whose peer stays open: ${waitingSeconds} s`);

  const half = twoHosts();
  listenOn(half.far);
  dial(half.near, half.far);
  await half.world.run(0.000_17);
  half.near.crash('silence');
  t.match(half.far.leftovers().join(), /connection syn-received/);
  const halfSeconds = await untilGone(half.world, half.far);
  t.ok(isAbout(halfSeconds, 63 - 0.001), `one that its client never confirms: ${halfSeconds} s`);
});

t.test('what is done to one direction of a link leaves the other alone', async (t) => {
  for (const [direction, atNear, atFar] of [
    ['forth', 'EAGAIN', 'text'],
    ['back', 'text', 'EAGAIN'],
  ] as const) {
    const { world, near, far, one, other } = await connected();
    world.link(near, far).cut().heal(direction);
    writeText(near.posix, one, 'text');
    writeText(far.posix, other, 'text');
    await world.run(0.1);
    t.equal(readText(near.posix, one), atNear, direction);
    t.equal(readText(far.posix, other), atFar, direction);
  }
});

t.test('a link is whole unless one of its directions is cut', async (t) => {
  const { world, near, far } = twoHosts();
  const link = world.link(near, far);
  t.ok(link.isWhole);
  for (const direction of ['forth', 'back', 'both'] as const) {
    t.notOk(link.cut(direction).isWhole, direction);
    t.ok(link.heal().isWhole);
  }
});

t.test('a link resets its own connections, and no other', async (t) => {
  const { world, near, far, one } = await connected();
  const third = world.host('10.0.0.3');
  listenOn(third);
  const other = dial(near, third);
  t.equal(await outcome(world, near, other), 'connected');
  const link = world.link(near, far);
  t.equal(link.reset(), link);
  t.match(world.trace.lines.at(-1), / 10\.0\.0\.1 net link <> 10\.0\.0\.2 resets its connections$/);
  t.equal(readText(near.posix, one), 'ECONNRESET');
  t.equal(readText(near.posix, other), 'EAGAIN');
});
