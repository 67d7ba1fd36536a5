// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationServerStart,
} from '../../src/replication/index.js';
import { errno } from '../../src/posix/index.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { type SimulatedHost, SimulatedWorld } from '../../src/testing/index.js';
import { connected, dial, listenOn, outcome, readText, twoHosts, writeText } from './fixture.js';

t.test('time moves only while the world runs, and by the given amount', async (t) => {
  const { world, near } = twoHosts({ startSeconds: 5000 });
  t.equal(world.nowSeconds, 0);
  t.equal(near.clock.now(), 5000);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(world.nowSeconds, 0);
  await world.run(1.5);
  t.equal(world.nowSeconds, 1.5);
  t.equal(near.clock.now(), 5001.5);
  await world.run(0);
  t.equal(world.nowSeconds, 1.5);
});

t.test('worlds begin on one day, each in a fraction of a second of its seed', async (t) => {
  const fractions = new Set<number>();
  for (let seed = 1; seed <= 40; seed++) {
    const { near } = twoHosts({ seed });
    const fraction = near.clock.now() - Date.UTC(2014, 9, 14, 2, 14) / 1000;
    t.ok(fraction >= 0 && fraction < 1, `${fraction}`);
    // Sums of such fractions are exact.
    t.ok(Number.isInteger(64 * fraction));
    fractions.add(fraction);
  }
  t.ok(fractions.size > 20);
});

t.test('hours of virtual time take no time: every timeout fires at its second', async (t) => {
  const { world, near } = twoHosts({ startSeconds: 1000, maxWakeLatencySeconds: 0 });
  const server = near.serve();
  const fired: number[] = [];
  server.registerEvent(TIMEOUT, -1, 3600, () => fired.push(world.nowSeconds));
  await world.run(4 * 3600);
  t.same(fired, [3600, 7200, 10_800, 14_400]);
});

t.test('the seed of a world is 1 unless given', async (t) => {
  t.equal(new SimulatedWorld().random.seed, 1);
  t.equal(new SimulatedWorld({ seed: 7 }).random.seed, 7);
});

t.test('a run until a condition ends with the event that fulfils it', async (t) => {
  const { world } = twoHosts();
  let happened = 0;
  for (const seconds of [1, 2, 3]) world.after(seconds, () => void happened++);
  await world.run(() => happened === 2);
  t.equal(world.nowSeconds, 2);
  await world.run(() => true);
  t.equal(world.nowSeconds, 2);
});

t.test('a condition that is not met in time is an error', async (t) => {
  const { world } = twoHosts();
  await t.rejects(
    world.run(() => false, { limitSeconds: 30 }),
    {
      message: 'the condition did not come true in 30 s of virtual time',
    },
  );
  t.equal(world.nowSeconds, 30);
  await t.rejects(
    world.run(() => false),
    { message: /in 3600 s/ },
  );
});

t.test('complete returns what a promise resolves to, or rejects with its error', async (t) => {
  const { world, near } = twoHosts();
  t.equal(await world.complete(Promise.resolve('value')), 'value');
  t.same(await world.complete(near.posix.select({}, 100)), { read: [], write: [], except: [] });
  await t.rejects(world.complete(Promise.reject(new Error('refused'))), { message: 'refused' });
  await t.rejects(world.complete(new Promise(() => {}), { limitSeconds: 1 }), {
    message: /did not come true/,
  });
});

t.test(
  'what follows from an answer happens before time goes on, through any number of promises',
  async (t) => {
    const { world, near } = twoHosts({ maxWakeLatencySeconds: 0 });
    const times: number[] = [];
    const follow = async (): Promise<void> => {
      await near.posix.select({}, 1);
      for (let n = 0; n < 500; n++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      times.push(world.nowSeconds);
      await near.posix.select({}, 1);
      times.push(world.nowSeconds);
    };
    void follow();
    world.after(1.000_001, () => times.push(-1));
    await world.run(5);
    t.same(times, [1, -1, 2]);
  },
);

t.test('several servers in one process run on one virtual time, each in its turn', async (t) => {
  const world = new SimulatedWorld({ startSeconds: 0, maxWakeLatencySeconds: 0 });
  const order: string[] = [];
  for (const [name, seconds] of [
    ['10.0.0.1', 2],
    ['10.0.0.2', 3],
  ] as const) {
    const server = world.host(name).serve();
    server.registerEvent(TIMEOUT, -1, seconds, () => order.push(`${name} at ${world.nowSeconds}`));
  }
  await world.run(6);
  t.same(order, [
    '10.0.0.1 at 2',
    '10.0.0.2 at 3',
    '10.0.0.1 at 4',
    // Of what happens in one microsecond, what was asked for first comes first.
    '10.0.0.2 at 6',
    '10.0.0.1 at 6',
  ]);
});

t.test('a server that waits for real time or I/O is detected', async (t) => {
  const { world, near } = twoHosts();
  near.serve();
  const server = near.serve();
  let goOn: (answer: number) => void = () => {};
  // As if a callback had got it to wait for a file, say.
  server.scheduler.waitThen = (done) => void (goOn = done);
  await t.rejects(world.run(10), { message: /10\.0\.0\.1 is not in select: .* waits for the real world/ });
  server.stop();
  goOn(0);
});

t.test('an endless chain of events in one instant is detected', async (t) => {
  const { world } = twoHosts({ maxEventsAtOnce: 100 });
  const again = (): void => world.after(0, again);
  again();
  await t.rejects(world.run(1), { message: /^time stands still at 0 s/ });
  const events = async (count: number): Promise<void> => {
    const busy = new SimulatedWorld({ maxEventsAtOnce: 100 });
    for (const seconds of [0, 1, 1.5]) for (let n = 0; n < count; n++) busy.after(seconds, () => {});
    await busy.run(2);
  };
  await t.resolves(events(99), 'as many as that at each of several moments');
  await t.rejects(events(100), { message: /^time stands still at 0 s/ });
});

t.test('only one run at a time', async (t) => {
  const { world } = twoHosts();
  const first = world.run(1);
  await t.rejects(world.run(1), { message: /running already/ });
  await first;
});

t.test(
  'invalid arguments are refused: a negative time, a host of another world, an invalid seed',
  async (t) => {
    const { world, near } = twoHosts();
    const stranger = new SimulatedWorld().host('10.0.0.2');
    await t.rejects(world.run(-1), { name: 'RangeError' });
    await t.rejects(world.run(Number.NaN), { name: 'RangeError' });
    t.throws(() => world.link(near, stranger), { message: /host of another world/ });
    t.throws(() => new SimulatedWorld({ seed: 0.5 }), { name: 'RangeError' });
    t.throws(() => world.after(-1, () => {}), { name: 'RangeError' });
  },
);

t.test('transfers can be short at random, without loss', async (t) => {
  const { world, near, far, one, other } = await connected({ shortTransfers: 0.5 });
  const text = Array.from({ length: 500 }, (_, n) => String(n)).join(' ');
  let sent = 0;
  let received = '';
  let short = 0;
  while (received.length < text.length) {
    const rest = text.slice(sent);
    const count = rest === '' ? 0 : writeText(near.posix, one, rest);
    if (typeof count === 'number') sent += count;
    if (count !== 0 && count !== rest.length) short += 1;
    await world.complete(far.posix.select({ read: [other] }, 10));
    received += readText(far.posix, other);
  }
  t.equal(received, text);
  t.ok(short > 0);
});

t.test('what a timer or a counter has is never moved in part', async (t) => {
  const { world, near } = twoHosts({ shortTransfers: 1 });
  const eightBytes = Buffer.alloc(8, 1);
  const counter = near.posix.eventfd(1);
  t.equal(near.posix.write(counter, eightBytes), 8);
  t.equal(near.posix.read(counter, eightBytes), 8);
  const timer = near.posix.timerfd();
  near.posix.timerfdSettime(timer, 1);
  await world.run(2);
  t.equal(near.posix.read(timer, eightBytes), 8);
});

t.test('a connection holds 64 KiB that wait to be read, and 64 KiB that wait to be sent', async (t) => {
  const { world, near, one } = await connected();
  const much = 'x'.repeat(100_000);
  t.equal(writeText(near.posix, one, much), 65_536);
  await world.run(10);
  t.equal(writeText(near.posix, one, much), 65_536);
  await world.run(10);
  t.equal(writeText(near.posix, one, much), 'EAGAIN');
});

t.test('a client retries while the backlog is full, until a connection is accepted', async (t) => {
  const { world, near, far } = twoHosts();
  const listener = listenOn(far, 0);
  const first = dial(near, far);
  t.equal(await outcome(world, near, first), 'connected');
  await world.complete(far.posix.select({ read: [listener] }, 10));
  const second = dial(near, far);
  t.same(await world.complete(near.posix.select({ write: [second] }, 20)), {
    read: [],
    write: [],
    except: [],
  });
  t.ok(far.posix.accept(listener) > 0);
  t.equal(await outcome(world, near, second), 'connected');
});

t.test(
  'of two that come at once a full backlog takes one; the other is let in when there is a place',
  async (t) => {
    const { world, near, far } = twoHosts();
    const listener = listenOn(far, 0);
    const clients = [dial(near, far), dial(near, far)];
    for (const fd of clients) {
      t.equal(await outcome(world, near, fd), 'connected', 'each was answered');
      writeText(near.posix, fd, 'hello');
    }
    for (const _ of clients) {
      await world.complete(far.posix.select({ read: [listener] }, 60));
      const server = far.posix.accept(listener);
      t.equal(far.posix.accept(listener), -errno.EAGAIN);
      await world.complete(far.posix.select({ read: [server] }, 60));
      t.equal(readText(far.posix, server), 'hello');
    }
  },
);

/** A primary and a backup that is there later, on real servers; a stranger; a cut: some of everything. */
async function someLife(seed: number): Promise<SimulatedWorld> {
  const world = new SimulatedWorld({ seed, shortTransfers: 0.2 });
  const [primary, backup] = [world.host('10.0.0.1'), world.host('10.0.0.2')];
  world.name('backup', { addresses: ['10.0.0.2'] });
  const boot = (host: SimulatedHost, start: typeof tdReplicationServerStart): void => {
    host.boot(async () => {
      const server = host.serve();
      await host.posix.resolve('backup', '9000');
      const t = tdReplicationConnect({
        server,
        posix: host.posix,
        logger: host.logger,
        callback: () => {
          host.posix.write(t.fd, new Uint8Array(world.random.integer(1, 50_000)));
          server.registerEvent(POLL_READ_FD, t.fd, 0, (id) => {
            if (host.posix.read(t.fd, new Uint8Array(3000)) === 0) server.unregisterEvent(id);
          });
        },
        retryTimeoutS: 1,
        maxConnections: 1,
        fd: -1,
      });
      tdReplicationConnectInit(t, 'backup:9000');
      start(t);
    });
  };
  boot(primary, tdReplicationClientStart);
  world.after(2.5, () => boot(backup, tdReplicationServerStart));
  world.after(5, () => world.link(primary, backup).cut());
  world.after(7, () => world.heal());
  world.after(8, () => primary.restart());
  await world.run(12);
  return world;
}

t.test('the same seed gives the same trace, byte for byte; another seed another', async (t) => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const [one, other] = [await someLife(seed), await someLife(seed)];
    t.ok(one.trace.lines.length > 100);
    t.equal(one.trace.toString(), other.trace.toString(), `seed ${seed}`);
    digests.add(one.trace.digest());
  }
  t.equal(digests.size, 20);
});

t.test('simultaneous worlds do not affect each other', async (t) => {
  const alone = (await someLife(5)).trace.digest();
  const together = await Promise.all([someLife(5), someLife(6), someLife(5)]);
  t.equal(together[0].trace.digest(), alone);
  t.equal(together[2].trace.digest(), alone);
});

t.test('what an action at a moment resolves goes on at that moment', async (t) => {
  const { world } = twoHosts();
  const times: number[] = [];
  void new Promise<void>((resolve) => world.after(1, resolve)).then(() => times.push(world.nowSeconds));
  world.after(2, () => {});
  await world.run(3);
  t.same(times, [1]);
});

t.test('a note is a line in the trace', async (t) => {
  const { world } = twoHosts();
  await world.run(1.5);
  world.note('test', 'looks around');
  t.same(world.trace.lines, ['   1.500000 test looks around']);
});
