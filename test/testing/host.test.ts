// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AF_INET, AF_INET6, errno, SO_ERROR, SOCK_STREAM, SOL_SOCKET } from '../../src/posix/index.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { SimulatedWorld } from '../../src/testing/index.js';
import { addressOf, connected, dial, listenOn, outcome, readText, twoHosts, writeText } from './fixture.js';

t.test(
  'a crash with resets: the peer reads ECONNRESET, and new connections are refused until a restart',
  async (t) => {
    const { world, near, far, one } = await connected();
    far.crash('reset');
    await world.run(1);
    t.equal(readText(near.posix, one), 'ECONNRESET');
    t.equal(await outcome(world, near, dial(near, far)), 'ECONNREFUSED');
    far.restart();
    listenOn(far);
    t.equal(await outcome(world, near, dial(near, far)), 'connected');
  },
);

t.test('a killed process: the peer reads what was written, then end of file', async (t) => {
  const { world, near, far, one, other } = await connected();
  writeText(far.posix, other, 'last words');
  far.crash('end of file');
  await world.run(1);
  t.equal(readText(near.posix, one), 'last words');
  t.equal(readText(near.posix, one), 'end of file');
});

t.test(
  'a host that loses its power is silent, and resets what it does not know when it is back',
  async (t) => {
    const { world, near, far, one } = await connected();
    far.crash('silence');
    writeText(near.posix, one, 'anybody?');
    const attempt = dial(near, far);
    t.same(await world.complete(near.posix.select({ read: [one], write: [attempt] }, 20)), {
      read: [],
      write: [],
      except: [],
    });
    far.restart();
    listenOn(far);
    await world.complete(near.posix.select({ read: [one] }, 60));
    t.equal(readText(near.posix, one), 'ECONNRESET');
    t.equal(await outcome(world, near, attempt), 'connected', 'the attempt is still being made');
  },
);

t.test('a peer that has no room, but replies, is waited for as long as it takes', async (t) => {
  const { world, near, far, one, other } = await connected();
  const block = new Uint8Array(100_000);
  let sent = 0;
  while (near.posix.write(one, block) > 0) await world.run(1);
  await world.run(7200);
  t.equal(near.posix.getsockopt(one, SOL_SOCKET, SO_ERROR), 0);
  t.ok(far.posix.read(other, block) > 0);
  await world.run(10);
  sent = near.posix.write(one, block);
  t.ok(sent > 0, `${sent} more bytes are sent`);
});

t.test('a silent peer that owes nothing is never dropped', async (t) => {
  const { world, near, far, one } = await connected();
  far.crash('silence');
  far.restart();
  t.same(await world.complete(near.posix.select({ read: [one] }, 3000)), { read: [], write: [], except: [] });
});

t.test(
  'when a process dies its descriptors are gone, its calls answer ESRCH and its selects never do',
  async (t) => {
    const { world, near, other, far } = await connected();
    const { posix } = far;
    let answered = false;
    const ask = async (sets: { read?: number[] }): Promise<void> => {
      await posix.select(sets, 0);
      answered = true;
    };
    void ask({ read: [other] });
    far.crash();
    await world.run(10);
    t.notOk(answered);
    t.same(posix.openDescriptors(), []);
    t.equal(posix.read(other, Buffer.alloc(1)), -errno.ESRCH);
    t.equal(posix.socket(AF_INET, SOCK_STREAM), -errno.ESRCH);
    t.equal(await posix.resolve('10.0.0.1', '1'), -errno.ESRCH);
    void ask({});
    await world.run(10);
    t.notOk(answered);
    t.throws(() => far.serve(), { message: /10\.0\.0\.2 has crashed: restart it first/ });
    t.ok(near.isAlive);
    t.notOk(far.isAlive);
  },
);

t.test('a crash leaves nothing of a process, and nobody waits for its servers', async (t) => {
  for (const kind of ['reset', 'silence', 'end of file'] as const) {
    const { world, far } = twoHosts();
    far.serve();
    far.posix.createPoller();
    await world.run(1);
    t.not(far.leftovers().length, 0);
    far.crash(kind);
    await world.run(1);
    t.same(far.leftovers(), [], kind);
  }
});

t.test('a restarted process has a table of its own; its host keeps its clock', async (t) => {
  const { world, far } = await connected();
  const before = far.posix;
  far.restart();
  t.not(far.posix, before);
  t.ok(far.isAlive);
  t.same(far.posix.openDescriptors(), []);
  t.equal(far.posix.socket(AF_INET, SOCK_STREAM), 3);
  t.equal(far.posix.clock.now(), far.clock.now());
  await world.run(5);
  t.equal(far.clock.now() - world.host('10.0.0.1').clock.now(), 0);
});

t.test('no listener and no port outlives its process, however that dies', async (t) => {
  for (const kind of ['reset', 'silence', 'end of file'] as const) {
    const { world, near, far } = twoHosts();
    listenOn(far);
    const other = far.spawn();
    t.equal(other.bind(other.socket(AF_INET, SOCK_STREAM), addressOf(far, 80)), 0);
    far.crash(kind);
    far.restart();
    t.equal(await outcome(world, near, dial(near, far)), 'ECONNREFUSED', kind);
    for (const port of [9000, 80]) {
      const fd = far.posix.socket(AF_INET, SOCK_STREAM);
      t.equal(far.posix.bind(fd, addressOf(far, port)), 0, `${kind}: port ${port} is free`);
    }
  }
});

t.test('a booted program runs at once and at each restart; on a crashed host, at its restart', async (t) => {
  const { near, far } = twoHosts();
  const started: string[] = [];
  near.boot((host) => void started.push(host.name));
  far.crash();
  far.crash('silence');
  far.boot((host) => void started.push(host.name));
  t.same(started, ['10.0.0.1']);
  far.restart();
  near.restart();
  t.same(started, ['10.0.0.1', '10.0.0.2', '10.0.0.1']);
});

t.test('a program’s rejection fails the run, unless its process has died since', async (t) => {
  const { world, near, far } = twoHosts();
  near.boot(async (host) => {
    await host.posix.select({}, 1);
    throw new Error('no disk');
  });
  far.boot(async (host) => {
    await host.posix.resolve('nowhere', '1');
    throw new Error('unheard');
  });
  far.crash();
  await t.rejects(world.run(10), {
    message: /^10\.0\.0\.1 failed at 1\.0000\d+ s: Error: no disk/,
    cause: { message: 'no disk' },
  });
  await world.run(10);
});

t.test('an error thrown by a callback fails the run, and names the host', async (t) => {
  const { world, near } = twoHosts();
  near.serve().registerEvent(TIMEOUT, -1, 2, () => {
    throw new Error('broken callback');
  });
  await t.rejects(world.run(10), { message: /10\.0\.0\.1 failed at .*broken callback/ });
});

t.test('a server stops within the world, and leaves nothing', async (t) => {
  const { world, near } = twoHosts();
  const server = near.serve();
  const fd = near.posix.eventfd();
  server.registerEvent(POLL_READ_FD, fd, 0, () => {});
  await world.run(1);
  t.same(near.leftovers(), [
    '10.0.0.1: descriptor 3: eventfd 0',
    '10.0.0.1: 1 pollers',
    '10.0.0.1: event 1 on descriptor 3',
  ]);
  t.same(
    await world.shutDown(),
    ['10.0.0.1: descriptor 3: eventfd 0'],
    "descriptors are their owner's to close",
  );
  near.posix.close(fd);
  t.same(near.leftovers(), []);
});

t.test('open connections are reported as left', async (t) => {
  const { world, near, far, one, other, listener } = await connected();
  near.posix.close(one);
  t.match(near.leftovers(), [/^10\.0\.0\.1: connection established 10\.0\.0\.1:\d+ -> 10\.0\.0\.2:9000$/]);
  far.posix.close(other);
  far.posix.close(listener);
  t.same(await world.shutDown(), []);
});

t.test('the clock can be set; deadlines follow it, sleeps under way do not', async (t) => {
  const { world, near, far } = twoHosts({ startSeconds: 1000 });
  const server = near.serve();
  const fired: number[] = [];
  server.registerEvent(TIMEOUT, -1, 5, () => fired.push(world.nowSeconds));
  await world.run(1);
  near.adjustClock(100);
  t.equal(near.clock.now(), 1101);
  t.equal(far.clock.now(), 1001, 'the other host has its own');
  await world.run(3.9);
  t.same(fired, []);
  await world.run(1);
  t.equal(fired.length, 1);
});

t.test('a host can have several addresses, of both families', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1', { addresses: ['192.168.0.1', 'fd00::1'] });
  t.equal(world.host('fd00::1'), host);
  t.equal(host.name, '10.0.0.1');
  const bind = (family: typeof AF_INET | typeof AF_INET6, address: string): number => {
    const fd = host.posix.socket(family, SOCK_STREAM);
    return host.posix.bind(fd, { family, address, port: 0 });
  };
  t.equal(bind(AF_INET, '192.168.0.1'), 0);
  t.equal(bind(AF_INET6, 'fd00::1'), 0);
  t.equal(bind(AF_INET6, 'fd00::2'), -errno.EADDRNOTAVAIL);
  t.throws(() => world.host('10.0.0.2', { addresses: ['fd00::1'] }), { message: /already/ });
});

t.test('ports below 1024 are for privileged programs', async (t) => {
  const world = new SimulatedWorld();
  const bind = (privileged: boolean, address: string, port: number): number => {
    const host = world.host(address, { privileged });
    const fd = host.posix.socket(AF_INET, SOCK_STREAM);
    return host.posix.bind(fd, { family: AF_INET, address, port });
  };
  t.equal(bind(true, '10.0.0.1', 1), 0);
  t.equal(bind(false, '10.0.0.2', 1), -errno.EACCES);
  t.equal(bind(false, '10.0.0.2', 1023), -errno.EACCES);
  t.equal(bind(false, '10.0.0.2', 1024), 0);
});

t.test('a process has as many descriptors as its host allows', async (t) => {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1', { maxDescriptors: 6 });
  t.same(
    Array.from({ length: 4 }, () => host.posix.eventfd()),
    [3, 4, 5, -errno.EMFILE],
  );
  host.maxDescriptors = 4;
  t.equal(host.posix.close(4), 0);
  t.equal(host.posix.eventfd(), 4, 'the running process keeps what it has');
  host.restart();
  t.same([host.posix.eventfd(), host.posix.eventfd()], [3, -errno.EMFILE]);
});
