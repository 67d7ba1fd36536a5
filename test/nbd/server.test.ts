// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { statSync } from 'node:fs';
import t from 'tap';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  errno,
  type Inet4Address,
  IPPROTO_TCP,
  NodePosix,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from '../../src/posix/index.js';
import { TCP_KEEPALIVE_PROBES } from '../../src/posix/posix.js';
import { type EventMode, TIMEOUT } from '../../src/scheduler/event.js';
import { listenOn } from '../../src/server/acceptor.js';
import { SILENCE_SECONDS } from '../../src/server/silence.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import { nullLogger } from '../../src/server/logger.js';
import { NbdServer, type NbdServerOptions, vbdExports } from '../../src/nbd/index.js';
import { parseNbdAddress, resolveNbdAddress } from '../../src/nbd/nbd-address.js';
import { diskWorld, type DiskWorld } from '../disks/drivers/disk-world.js';
import { ManualClock } from '../disks/bench.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { goneClient } from '../posix/gone-client.js';
import { nbdWorld, until } from './nbd-world.js';
import { RawClient, exportRequest, option, request } from './raw-client.js';

const optionsOf = ({ server, posix, registry }: DiskWorld): NbdServerOptions => ({
  registrar: server,
  posix,
  logger: nullLogger,
  completions: registry.completions,
  exports: vbdExports(registry),
});

t.test('it listens on a Unix socket, whose path is removed at close', async (t) => {
  const world = diskWorld(t);
  const nbd = new NbdServer(optionsOf(world));
  const address = { family: AF_UNIX, path: world.path('s') } as const;
  t.equal(nbd.address, undefined);
  t.equal(nbd.listen(address), 0);
  t.strictSame(nbd.address, address);
  t.equal(nbd.listen(address), -errno.EADDRINUSE);
  t.ok(statSync(address.path).isSocket());
  const second = new NbdServer(optionsOf(world));
  t.equal(second.listen(address), -errno.EADDRINUSE);
  nbd.close();
  nbd.close();
  t.throws(() => statSync(address.path), { code: 'ENOENT' });
  t.equal(second.listen(address), 0);
  second.close();
});

t.test('it serves on a socket that listens already, and closes one that cannot be awaited', async (t) => {
  const world = diskWorld(t);
  await world.open('ram:1');
  const { posix, server } = world;
  const nbd = new NbdServer(optionsOf(world));
  const address = { family: AF_UNIX, path: world.path('s') } as const;
  t.equal(nbd.listenOn(listenOn(posix, address, 1)), 0);
  t.strictSame(nbd.addresses, [address]);
  const raw = new RawClient(address);
  await raw.go();
  raw.destroy();
  nbd.close();
  const before = posix.openDescriptors().length;
  const fd = listenOn(posix, { family: AF_UNIX, path: world.path('other') }, 1);
  const registerEvent = server.registerEvent.bind(server);
  server.registerEvent = () => -errno.EBUSY;
  t.equal(nbd.listenOn(fd), -errno.EBUSY);
  server.registerEvent = registerEvent;
  t.equal(posix.openDescriptors().length, before);
});

t.test('it listens on a TCP port, and reports which', async (t) => {
  const world = nbdWorld(t, { tcp: true });
  await world.open('ram:1');
  t.match(world.address, { family: AF_INET, address: '127.0.0.1', port: Number });
  await world.raw().go('0');
  const taken = new NbdServer(optionsOf(world));
  t.equal(taken.listen(world.address), -errno.EADDRINUSE);
  t.equal(taken.listen({ family: AF_INET, address: '192.0.2.1', port: 0 }), -errno.EADDRNOTAVAIL);
  t.equal(taken.listen({ family: 99 as typeof AF_INET, address: '127.0.0.1', port: 0 }), -errno.EAFNOSUPPORT);
});

t.test('a TCP connection is probed when idle, and delays no reply; a Unix one needs neither', async (t) => {
  class Recorded extends NodePosix {
    readonly set: (readonly number[])[] = [];
    override setsockopt(fd: number, level: number, name: number, value: number): number {
      this.set.push([level, name, value]);
      return super.setsockopt(fd, level, name, value);
    }
  }
  const probes = [
    [IPPROTO_TCP, TCP_KEEPIDLE, SILENCE_SECONDS - TCP_KEEPALIVE_PROBES],
    [SOL_SOCKET, SO_KEEPALIVE, 1],
  ];
  for (const tcp of [true, false]) {
    const posix = new Recorded();
    const world = nbdWorld(t, { tcp, posix });
    await world.open('ram:1');
    posix.set.length = 0;
    await world.raw().go();
    t.same(posix.set.splice(0), tcp ? [[IPPROTO_TCP, TCP_NODELAY, 1], ...probes] : [], 'of a server');
    const client = await world.client();
    t.same(posix.set.slice(0, 2), tcp ? probes : [], 'of a client');
    client.disconnect();
  }
});

t.test('it listens on several addresses, and stops on all', async (t) => {
  const world = nbdWorld(t, { tcp: true });
  await world.open('ram:1');
  const path = world.path('second');
  t.equal(world.nbd.listen({ family: AF_UNIX, path }), 0);
  t.strictSame(world.nbd.addresses, [world.address, { family: AF_UNIX, path }]);
  t.strictSame(world.nbd.address, world.address);
  const [first, second] = [await world.raw().go(), world.raw(undefined, { family: AF_UNIX, path })];
  await second.go();
  t.equal(world.nbd.connections, 2);
  first.send(request(2));
  second.send(request(2));
  t.same([await first.rest(), await second.rest()], [Buffer.alloc(0), Buffer.alloc(0)]);
  world.nbd.close();
  t.strictSame(world.nbd.addresses, []);
  t.throws(() => statSync(path), { code: 'ENOENT' });
});

t.test('an idle client is disconnected, and no other', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock }), limits: { idleTimeoutSeconds: 10 } });
  await world.open('ram:1');
  const [idle, busy] = [await world.raw().go(), await world.raw().go()];
  for (let second = 0; second < 20; second++) {
    clock.seconds += 1;
    busy.send(request(3));
    await busy.simple();
    // It is looked for every 5 s, and for the first time then.
    if (second < 14) t.equal(world.nbd.connections, 2);
    if (second > 14) t.equal(world.nbd.connections, 1);
  }
  t.equal((await idle.rest()).length, 0);
  t.match(world.lines.join('\n'), /local client \d+ sent no request for 10 s/);
  t.equal(world.nbd.connections, 1);
});

t.test('idle clients are looked for however many others come, and until the last one is gone', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock }), limits: { idleTimeoutSeconds: 10 } });
  await world.open('ram:1');
  const idle = await world.raw().go();
  const others: RawClient[] = [];
  for (let second = 2; second <= 20; second += 2) {
    clock.seconds += 2;
    others.push(await world.raw().go());
  }
  t.equal((await idle.rest()).length, 0);
  t.ok(world.nbd.connections > 1, 'and not everybody else');
  for (const seconds of [5, 5, 5]) {
    clock.seconds += seconds;
    world.registry.completions.post(() => {});
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
  for (const other of others) t.equal((await other.rest()).length, 0);
  t.equal(world.nbd.connections, 0);
});

t.test('none is looked for once the last client has been dropped', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock }) });
  await world.open('ram:1');
  const half = await world.raw().go();
  half.send(request(0, { length: 512 }).subarray(0, 14));
  for (let second = 0; second <= 40; second += 5) {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    clock.seconds += 5;
    world.registry.completions.post(() => {});
  }
  t.equal((await half.rest()).length, 0);
  t.equal(world.nbd.connections, 0);
});

t.test('that the last client has gone is reported while it listens, and not later', async (t) => {
  const world = diskWorld(t);
  await world.open('ram:1');
  let idle = 0;
  const nbd = new NbdServer({ ...optionsOf(world), onIdle: () => void idle++ });
  const address = { family: AF_UNIX, path: world.path('s') } as const;
  const clients = async (): Promise<RawClient[]> => {
    const raws = [new RawClient(address), new RawClient(address)];
    t.teardown(() => raws.forEach((raw) => raw.destroy()));
    for (const raw of raws) await raw.go();
    return raws;
  };
  t.equal(nbd.listen(address), 0);
  const [first, second] = await clients();
  first!.destroy();
  await until(() => nbd.connections === 1);
  t.equal(idle, 0);
  second!.destroy();
  await until(() => nbd.connections === 0);
  t.equal(idle, 1);
  await clients();
  nbd.close();
  t.equal(nbd.connections, 0);
  t.equal(idle, 1);
});

t.test('the memory for requests is the configured one, and 64 MiB at least', async (t) => {
  const MIB = 1 << 20;
  for (const [limits, most] of [
    [{}, 7],
    [{ maxRequestMemoryBytes: 160 * MIB }, 4],
    [{ maxRequestMemoryBytes: 1 }, 1],
  ] as const) {
    const disks = new ScriptedDisks({ sectors: 65_536 });
    disks.answerAtOnce = (what) => (what === 'read' ? undefined : 0);
    const world = nbdWorld(t, { types: driverTypes([disks.type]), limits });
    await world.open('scripted:disk');
    for (let count = 0; count < 8; count++) (await world.raw().go()).send(request(0, { length: 32 * MIB }));
    await until(() => disks.calls.length >= most);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    t.equal(world.nbd.requestMemoryBytes, most * 32 * MIB);
    world.nbd.close();
    while (disks.calls.length > 0) disks.answer('read', -errno.EIO);
  }
});

t.test('a client that waits for a reply is not idle', async (t) => {
  const clock = new ManualClock();
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (/^(open|close|read)/.test(what) ? 0 : undefined);
  const world = nbdWorld(t, {
    posix: new NodePosix({ clock }),
    types: driverTypes([disks.type]),
    limits: { idleTimeoutSeconds: 10 },
  });
  await world.open('scripted:disk');
  const [waiting, busy] = [await world.raw().go(), await world.raw().go()];
  waiting.send(request(3, { cookie: 4n }));
  await until(() => disks.calls.length > 0);
  const after = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.seconds += 1;
      busy.send(request(0, { length: 512 }));
      await busy.take(16 + 512);
    }
  };
  await after(30);
  t.equal(world.nbd.connections, 2);
  disks.answer('flush');
  t.match(await waiting.simple(), { cookie: 4n });
  await after(20);
  t.equal(world.nbd.connections, 1);
});

t.test('a client that was reset before its address could be read is dropped', async (t) => {
  const world = nbdWorld(t, { tcp: true });
  await world.open('ram:1');
  goneClient((world.address as Inet4Address).port, '\0\0\0\x03');
  const client = await world.client();
  t.equal(world.nbd.connections, 1);
  t.notMatch(world.lines.join('\n'), 'local client');
  t.equal((await client.read(0, 512)).length, 512);
});

t.test('a client beyond the bound is refused until another leaves', async (t) => {
  const world = nbdWorld(t, { limits: { maxConnections: 2 } });
  await world.open('ram:1');
  const [first] = [await world.raw().go(), await world.raw().go()];
  const third = await world.raw().greet();
  third.send(option(7, exportRequest('')));
  const REP_ERR_POLICY = 0x80000002;
  t.match(await third.replies(), [{ type: REP_ERR_POLICY, data: Buffer.from('connection limit 2 reached') }]);
  t.match(world.lines.at(-1), /rejected local client .*: connection limit 2 reached/);
  const old = await world.raw().greet();
  old.send(option(1));
  t.equal((await old.rest()).length, 0, 'EXPORT_NAME has no other answer');
  first.destroy();
  await until(() => world.nbd.connections === 2);
  third.send(option(7, exportRequest('')));
  t.equal((await third.replies()).at(-1)?.type, 1);
});

t.test(
  'clients that choose no disk keep nobody out: the oldest of them is dropped for a new one',
  async (t) => {
    const world = nbdWorld(t, { limits: { maxConnections: 2, maxHandshakes: 3 } });
    await world.open('ram:1');
    const user = await world.raw().go();
    const silent: RawClient[] = [];
    for (let count = 0; count < 3; count++) silent.push(await world.raw().greet());
    await world.raw().go();
    t.equal((await silent[0]!.rest()).length, 0);
    t.match(world.lines.filter((line) => line.includes('newer clients')).length, 1);
    silent[1]!.send(option(2));
    t.match(await silent[1]!.reply(), { type: 1 }, 'the others are still there');
    user.send(request(3));
    t.match(await user.simple(), { error: 0 });
  },
);

t.test('an address that keeps negotiating displaces only its own connections', async (t) => {
  const world = nbdWorld(t, { tcp: true, limits: { maxHandshakes: 3 } });
  await world.open('ram:1');
  const other = await world.raw('127.0.0.2').greet();
  const pushing: RawClient[] = [];
  for (let count = 0; count < 10; count++) pushing.push(await world.raw('127.0.0.1').greet());
  for (const gone of pushing.slice(0, 8)) t.equal((await gone.rest()).length, 0);
  other.send(option(7, exportRequest('')));
  t.equal((await other.replies()).at(-1)?.type, 1);
});

t.test('one address cannot take all places', async (t) => {
  const posix = new NodePosix({ clock: new ManualClock() });
  const world = nbdWorld(t, { tcp: true, posix, limits: { maxConnectionsPerPeer: 2 } });
  await world.open('ram:1');
  await world.raw().go();
  await world.raw().greet();
  t.equal((await world.raw().rest()).length, 0);
  t.match(world.lines.at(-1), /rejected 127.0.0.1:.*: connection limit 2 of one address reached/);
  await world.raw('127.0.0.2').go();
  for (let count = 0; count < 40; count++) t.equal((await world.raw().rest()).length, 0);
  const lines = (): string[] => world.lines.filter((line) => line.includes('rejected'));
  t.equal(lines().length, 1, 'one line a second');
  world.nbd.close();
  t.equal(lines().length, 2);
  t.match(lines()[1], /39/, 'at the end the number of those left out');
});

t.test('stop waits for replies in flight, then closes the connections', async (t) => {
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (/^(open|close)/.test(what) ? 0 : undefined);
  const world = nbdWorld(t, { types: driverTypes([disks.type]) });
  await world.open('scripted:disk');
  const busy = await world.raw().go();
  const idle = await world.raw().go();
  const undecided = await world.raw().greet();
  busy.send(request(3, { cookie: 4n }));
  await until(() => disks.calls.length > 0);
  let stopped = false;
  world.nbd.stop(() => {
    stopped = true;
  });
  busy.send(request(0, { cookie: 5n, length: 512 }));
  t.equal((await idle.rest()).length, 0);
  t.equal((await undecided.rest()).length, 0);
  t.equal(stopped, false);
  t.equal(disks.calls.length, 1, 'what comes after that is not read');
  disks.answer('flush');
  t.strictSame(await busy.simple(), { error: 0, cookie: 4n });
  t.equal((await busy.rest()).length, 0);
  await until(() => stopped);
  t.equal(world.nbd.address, undefined);
});

t.test('stop has a time limit', async (t) => {
  const clock = new ManualClock();
  const disks = new ScriptedDisks();
  disks.answerAtOnce = (what) => (/^(open|close)/.test(what) ? 0 : undefined);
  const world = nbdWorld(t, {
    posix: new NodePosix({ clock }),
    types: driverTypes([disks.type]),
    limits: { finishTimeoutSeconds: 5 },
  });
  await world.open('scripted:disk');
  const raw = await world.raw().go();
  raw.send(request(3));
  await until(() => disks.calls.length > 0);
  let stopped = false;
  world.nbd.stop(() => {
    stopped = true;
  });
  world.nbd.stop(() => {
    stopped = true;
  }, 60);
  clock.seconds += 5;
  world.registry.completions.post(() => {});
  t.equal((await raw.rest()).length, 0);
  t.equal(stopped, true, 'which a second stop does not extend');
  t.match(world.lines.at(-1), / is dropped: its disk did not complete its last requests in time$/);
  disks.answer('flush');
});

t.test('the end of a stop is reported once, whatever becomes of later clients', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  let stops = 0;
  world.nbd.stop(() => void stops++);
  t.equal(stops, 1);
  t.equal(world.nbd.listen({ family: AF_UNIX, path: world.path('again.sock') }), 0);
  const raw = await world.raw(undefined, world.nbd.address).greet();
  raw.destroy();
  await until(() => world.nbd.connections === 0);
  t.equal(stops, 1);
});

t.test('stop without a client completes at once', async (t) => {
  const world = nbdWorld(t);
  let stopped = false;
  world.nbd.stop(() => {
    stopped = true;
  });
  t.equal(stopped, true);
});

t.test('without free descriptors it keeps serving, and accepts again when there are some', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock, maxDescriptors: 8 }) });
  await world.open('ram:1');
  const served = await world.raw().go();
  const taken: number[] = [];
  for (let fd = world.posix.eventfd(); fd >= 0; fd = world.posix.eventfd()) taken.push(fd);
  const waiting = world.raw();
  await until(() => world.lines.some((line) => line.includes('cannot accept: EMFILE')));
  served.send(request(3, { cookie: 9n }));
  t.match(await served.simple(), { cookie: 9n });
  t.equal(world.lines.filter((line) => line.includes('cannot accept')).length, 1, 'and does not spin');
  for (const fd of taken) world.posix.close(fd);
  clock.seconds += 1;
  world.registry.completions.post(() => {});
  await waiting.go();
});

t.test('a full scheduler rejects clients that need an event, and nothing is left of them', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const served = await world.raw().go();
  const { descriptors, server } = world;
  const registerEvent = server.registerEvent.bind(server);
  const none = new NbdServer(optionsOf(world));
  for (let room = 0; room < 3; room++) {
    let left = room;
    server.registerEvent = ((...parameters: Parameters<typeof registerEvent>) =>
      left-- > 0 ? registerEvent(...parameters) : -errno.EBUSY) as typeof registerEvent;
    if (room === 0) t.equal(none.listen({ family: AF_UNIX, path: world.path('none') }), -errno.EBUSY);
    const raw = world.raw();
    raw.socket.end();
    await raw.rest();
    server.registerEvent = registerEvent;
    await until(() => world.nbd.connections === 1);
    t.equal(world.posix.openDescriptors().length, descriptors + 1);
  }
  served.send(request(3, { cookie: 9n }));
  t.match(await served.simple(), { cookie: 9n });
});

t.test('a client whose time cannot be limited is not served', async (t) => {
  const world = nbdWorld(t);
  await world.open('ram:1');
  const { server } = world;
  const registerEvent = server.registerEvent.bind(server);
  server.registerEvent = (mode: EventMode, ...parameters: never[]) =>
    mode === TIMEOUT ? -errno.EBUSY : (registerEvent as (...all: unknown[]) => number)(mode, ...parameters);
  const raw = world.raw();
  await raw.rest();
  server.registerEvent = registerEvent;
  t.equal(world.nbd.connections, 0);
  t.match(world.lines.at(-1), /connection lost: EBUSY/);
});

t.test('an address is a path with a slash, or a host and a port', async (t) => {
  t.strictSame(parseNbdAddress('/run/nbd.sock'), { family: AF_UNIX, path: '/run/nbd.sock' });
  t.strictSame(parseNbdAddress('./nbd.sock'), { family: AF_UNIX, path: './nbd.sock' });
  t.strictSame(parseNbdAddress('127.0.0.1:10809'), { family: AF_INET, address: '127.0.0.1', port: 10809 });
  t.strictSame(parseNbdAddress('[::1]:0'), { family: AF_INET6, address: '::1', port: 0 });
  t.strictSame(parseNbdAddress('example.org:1'), { host: 'example.org', port: '1' });
  t.equal(parseNbdAddress('nbd.sock'), "'nbd.sock' is neither a path (with a slash) nor HOST:PORT");
  t.strictSame(parseNbdAddress('127.0.0.1:65535'), { family: AF_INET, address: '127.0.0.1', port: 65535 });
  t.match(parseNbdAddress('127.0.0.1:65536'), 'port 65536 is above 65535');
  t.match(parseNbdAddress('127.0.0.1:99999'), 'port 99999 is above 65535');
  t.match(parseNbdAddress('[127.0.0.1]:1'), "'127.0.0.1' is no IPv6 address");
  const posix = new NodePosix({
    lookup: async (host) => {
      if (host !== 'known') throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
      return [{ address: '127.0.0.7' }];
    },
  });
  t.strictSame(await resolveNbdAddress(posix, '[::1]:5'), { family: AF_INET6, address: '::1', port: 5 });
  const nowhere = new NodePosix({ lookup: async () => [] });
  t.equal(await resolveNbdAddress(nowhere, 'known:5'), "there is no host 'known'");
  t.match(await resolveNbdAddress(posix, 'known:5'), { family: AF_INET, address: '127.0.0.7', port: 5 });
  t.equal(await resolveNbdAddress(posix, 'unknown:5'), "there is no host 'unknown'");
});

t.test('exports have the chosen names, descriptions and default, and their numbers', async (t) => {
  const world = diskWorld(t);
  const exports = vbdExports(world.registry, {
    names: new Map([[1, 'data']]),
    descriptions: new Map([[1, 'All that there is']]),
    defaultMinor: 1,
  });
  t.equal(exports.find(''), 'no disk is open');
  await world.open('ram:1');
  t.match(exports.find(''), /name one of the exports 0/, 'the default one is not open');
  await world.open('ram:1');
  t.match(exports.list(), [
    { name: '0', description: /VBD 0/ },
    { name: 'data', description: 'All that there is' },
  ]);
  for (const name of ['', '1', 'data']) t.match(exports.find(name), { name: 'data', device: { minor: 1 } });
  t.equal(exports.find('2'), 'the exports are 0, data');
});
