// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import type { NbdLimits } from '../../src/nbd/index.js';
import { ordinaryBuffers } from '../../src/nbd/ordinary-buffers.js';
import { driverTypes } from '../../src/disks/drivers/index.js';
import { NodePosix } from '../../src/posix/index.js';
import { ManualClock } from '../disks/bench.js';
import { ScriptedDisks } from '../disks/scripted-disks.js';
import { nbdWorld, type NbdWorld, until } from './nbd-world.js';
import { exportRequest, option, type RawClient, request, u32 } from './raw-client.js';
import { takenBuffers } from './taken-buffers.js';

const READ = 0;
const WRITE = 1;
const MIB = 1 << 20;

/** A client that asks for so much and takes nothing of it. */
async function deafReader(world: NbdWorld, lengths: readonly number[]): Promise<RawClient> {
  const raw = await world.raw().go();
  raw.socket.pause();
  for (const length of lengths) raw.send(request(READ, { length }));
  return raw;
}

t.test('clients that read nothing stay within the memory bound', async (t) => {
  const world = nbdWorld(t, { tcp: true, limits: { maxRequestMemoryBytes: 64 * MIB } });
  await world.open('ram:64');
  let most = 0;
  const clients: RawClient[] = [];
  for (let count = 0; count < 8; count++)
    clients.push(await deafReader(world, [16 * MIB, 16 * MIB, 16 * MIB]));
  const client = await world.client();
  for (let count = 0; count < 20; count++) {
    t.equal((await client.read(0, 4096)).length, 4096);
    most = Math.max(most, world.nbd.requestMemoryBytes);
  }
  t.ok(most > 16 * MIB && most <= 64 * MIB, `${most} bytes`);
  for (const raw of clients) raw.destroy();
  await until(() => world.nbd.connections === 1);
  t.equal(world.nbd.requestMemoryBytes, 0);
});

t.test('a client that reads nothing is dropped once others wait for its memory', async (t) => {
  const limits = { maxRequestMemoryBytes: 64 * MIB, stallTimeoutSeconds: 1 };
  const world = nbdWorld(t, { tcp: true, limits });
  await world.open('ram:64');
  const deaf = await deafReader(world, [32 * MIB]);
  await until(() => world.nbd.requestMemoryBytes > 0);
  const client = await world.client();
  t.equal((await client.read(0, 32 * MIB)).length, 32 * MIB);
  deaf.socket.resume();
  t.ok((await deaf.rest()).length < 32 * MIB);
  t.match(world.lines.join('\n'), /is dropped: it does not take its data, and others wait for the memory/);
});

t.test(
  'nothing more is read for a client that has gone, though what it leaves has room for it',
  async (t) => {
    const world = nbdWorld(t, { tcp: true, limits: { maxRequestMemoryBytes: 64 * MIB } });
    const vbd = await world.open('ram:64');
    const raw = await deafReader(world, [32 * MIB, 32 * MIB]);
    await until(() => world.nbd.requestMemoryBytes > 0);
    raw.destroy();
    await until(() => world.nbd.connections === 0);
    const client = await world.client();
    await client.flush();
    t.match(vbd.statistics(), { inFlight: 0, waiting: 0, kinds: { read: { completed: 1 } } });
  },
);

t.test('a client that stops in the middle of a request is dropped', async (t) => {
  const world = nbdWorld(t, { tcp: true, limits: { stallTimeoutSeconds: 1 } });
  await world.open('ram:1');
  const idle = await world.client();
  const parts = [
    request(WRITE, { length: MIB }),
    request(WRITE, { length: MIB, data: Buffer.alloc(MIB / 2) }),
    request(READ, { length: MIB }).subarray(0, 14),
    request(WRITE, { offset: 1n, length: MIB }),
  ];
  await Promise.all(
    parts.map(async (part) => {
      const raw = await world.raw().go();
      await raw.send(part).rest();
    }),
  );
  await until(() => world.nbd.connections === 1);
  const dropped = world.lines.filter((line) => line.includes('it has left off in the middle of a request'));
  t.equal(dropped.length, parts.length);
  t.equal(world.nbd.requestMemoryBytes, 0);
  t.equal((await idle.read(0, 512)).length, 512, 'one that asks for nothing is not');
});

/** The clock is the test's. The hosts of some clients, by their ports, do not answer. */
class TimedPosix extends NodePosix {
  override readonly clock = new ManualClock();
  readonly goneClients = new Set<number | undefined>();
  /** The port of a client that takes some of its data all the time. */
  takingClient: number | undefined;
  #unsent = 1 << 20;

  override unsent(fd: number): number {
    const peer = this.getpeername(fd);
    const isTaking = typeof peer !== 'number' && 'port' in peer && peer.port === this.takingClient;
    return isTaking ? this.#unsent-- : super.unsent(fd);
  }

  override retransmissions(fd: number): number {
    const peer = this.getpeername(fd);
    return typeof peer !== 'number' && 'port' in peer && this.goneClients.has(peer.port) ? 3 : 0;
  }
}

/** A server with a clock of the test's, and a client that is always there. */
async function timedWorld(t: Test, limits: Partial<NbdLimits> = {}) {
  const posix = new TimedPosix();
  const { clock } = posix;
  const world = nbdWorld(t, { tcp: true, posix, limits });
  await world.open('ram:64');
  const other = await world.client();
  /** So many seconds pass, and the server has had its turns. @returns how many clients are left */
  const after = async (seconds: number): Promise<number> => {
    clock.seconds += seconds;
    await other.flush();
    await world.server.sleep(0);
    return world.nbd.connections;
  };
  const taking = (port: number | undefined): void => {
    posix.takingClient = port;
  };
  return { world, other, clock, after, goneClients: posix.goneClients, taking };
}

t.test('a client that stops in the middle of a request has 30 s, and is looked for every 5 s', async (t) => {
  const { world, other, after } = await timedWorld(t);
  const [half, whole] = [await world.raw().go(), await world.client()];
  half.send(request(READ, { length: MIB }).subarray(0, 14));
  // One that has sent all of its data, taken or not, is in the middle of nothing.
  await whole.write(0, Buffer.alloc(MIB));
  await t.rejects(whole.write(64 * MIB, Buffer.alloc(512)));
  await other.flush();
  t.equal(await after(5), 3, 'from now on nothing comes');
  for (const seconds of [5, 5, 5, 5, 5, 4]) t.equal(await after(seconds), 3);
  t.equal(await after(1), 2);
  t.equal((await half.rest()).length, 0);
  t.equal((await whole.read(0, 512)).length, 512);
});

t.test('stalled clients are looked for twice in the shortest of their times', async (t) => {
  const { world, other, after } = await timedWorld(t, { stallTimeoutSeconds: 5, idleTimeoutSeconds: 60 });
  const half = await world.raw().go();
  half.send(request(READ, { length: MIB }).subarray(0, 14));
  await other.flush();
  // They are looked for after 3, 6 and 9 s, and for the first time then.
  for (let second = 1; second < 9; second++) t.equal(await after(1), 2);
  t.equal(await after(1), 1);
});

t.test('a host is silent from the first look on that finds nothing new of it', async (t) => {
  const { world, after, goneClients } = await timedWorld(t, { stallTimeoutSeconds: 2 });
  const gone = await world.raw().go();
  await world.server.sleep(0);
  goneClients.add(gone.socket.localPort);
  for (let second = 1; second < 27; second++) t.equal(await after(1), 2);
  t.equal(await after(1), 1);
});

t.test('a client that negotiates has its time for that, whatever its host does', async (t) => {
  const { world, after, goneClients } = await timedWorld(t, { handshakeTimeoutSeconds: 100 });
  const greeted = await world.raw().greet();
  await world.server.sleep(0);
  goneClients.add(greeted.socket.localPort);
  for (let second = 5; second < 100; second += 5) t.equal(await after(5), 2);
  t.equal(await after(5), 1);
});

t.test(
  'a client whose host does not answer is dropped after 30 s, unless it answers meanwhile',
  async (t) => {
    const { world, after, goneClients } = await timedWorld(t);
    const [gone, live] = [await world.raw().go(), await world.raw().go()];
    const { localPort } = gone.socket;
    await world.server.sleep(0);
    goneClients.add(localPort);
    for (const seconds of [5, 5, 5, 5, 5]) t.equal(await after(seconds), 3);
    goneClients.delete(localPort);
    t.equal(await after(5), 3);
    goneClients.add(localPort);
    for (const seconds of [5, 5, 5, 5, 5]) t.equal(await after(seconds), 3);
    t.equal(await after(5), 2);
    t.equal((await gone.rest()).length, 0);
    t.match(world.lines.join('\n'), /is dropped: its host does not answer/);
    // What comes from a client is an answer, whatever the kernel has to send again.
    goneClients.add(live.socket.localPort);
    for (let second = 0; second < 60; second += 5) {
      live.send(request(READ, { length: 512 }));
      t.equal(await after(5), 2);
    }
  },
);

t.test('a client that takes none of its data is left alone until others wait for memory', async (t) => {
  const limits = { maxRequestMemoryBytes: 64 * MIB, stallTimeoutSeconds: 2 };
  const { world, other, after } = await timedWorld(t, limits);
  const deaf = await deafReader(world, [32 * MIB]);
  await until(() => world.nbd.requestMemoryBytes === 32 * MIB);
  // Until the kernel's buffers are full it takes something.
  for (let second = 0; second < 20; second++) t.equal(await after(1), 2);
  const read = other.read(0, 32 * MIB);
  t.equal(await after(1), 1);
  t.equal((await read).length, 32 * MIB);
  deaf.destroy();
});

t.test('a client that does not take its last replies is dropped when the time to stop is over', async (t) => {
  const { world, other, clock } = await timedWorld(t, { finishTimeoutSeconds: 5 });
  const deaf = await deafReader(world, [32 * MIB]);
  await until(() => world.nbd.requestMemoryBytes === 32 * MIB);
  other.disconnect();
  let stopped = false;
  world.nbd.stop(() => (stopped = true));
  await world.server.sleep(0);
  t.equal(stopped, false);
  clock.seconds += 5;
  await world.server.sleep(0);
  await until(() => stopped);
  t.match(world.lines.at(-1), / is dropped: it did not take its last replies in time$/);
  deaf.destroy();
});

t.test('a client that takes its data slowly is not dropped, though others wait for memory', async (t) => {
  const limits = { maxRequestMemoryBytes: 64 * MIB, stallTimeoutSeconds: 2 };
  const { world, after, taking } = await timedWorld(t, limits);
  const slow = await deafReader(world, [32 * MIB]);
  await until(() => world.nbd.requestMemoryBytes === 32 * MIB);
  taking(slow.socket.localPort);
  const waiting = (await world.raw().go()).send(request(READ, { length: 32 * MIB }));
  for (let second = 0; second < 20; second++) t.equal(await after(1), 3);
  taking(undefined);
  for (let second = 0; second < 4; second++) await after(1);
  t.equal(world.nbd.connections, 2, 'until it takes nothing');
  t.match(await waiting.simple(), { error: 0 });
  slow.destroy();
});

for (const isStopped of [false, true])
  t.test(
    `memory that a connection had taken is given back, ${isStopped ? 'also if it is finishing' : 'whatever it does'}`,
    async (t) => {
      const disks = new ScriptedDisks();
      disks.answerAtOnce = () => 0;
      const world = nbdWorld(t, { types: driverTypes([disks.type]), limits: { maxRequestsInFlight: 2 } });
      await world.open('scripted:disk');
      const taken = takenBuffers(t);
      const greeted = await world.raw().greet();
      greeted.send(option(7, exportRequest('')).subarray(0, 20));
      const half = await world.raw().go();
      half.send(request(READ, { length: MIB }).subarray(0, 14));
      const writing = await world.raw().go();
      writing.send(request(WRITE, { length: MIB, data: Buffer.alloc(MIB / 2) }));
      const deaf = await world.raw().go();
      deaf.socket.pause();
      // The last two are read ahead.
      deaf.send(Buffer.concat(Array<Buffer>(4).fill(request(READ, { length: MIB }))));
      await until(() => world.nbd.requestMemoryBytes === 3 * MIB);
      // And this is not even read.
      deaf.send(request(READ, { length: MIB }));
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      t.ok(taken.size >= 4);
      if (isStopped) world.nbd.stop(() => {});
      world.nbd.close();
      for (const raw of [greeted, half, writing, deaf]) raw.destroy();
      await until(() => world.posix.openDescriptors().length === world.descriptors - 1);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      t.equal(taken.size, 0);
      t.equal(world.nbd.requestMemoryBytes, 0);
    },
  );

t.test('all servers take their memory from one pool, whose release collects the garbage once', async (t) => {
  let taken = 0;
  const take = ordinaryBuffers.take.bind(ordinaryBuffers);
  t.teardown(() => Object.assign(ordinaryBuffers, { take }));
  Object.assign(ordinaryBuffers, {
    take(length: number): Buffer {
      taken += 1;
      return take(length);
    },
  });
  for (const server of ['one', 'another']) {
    const before = taken;
    const world = nbdWorld(t);
    await world.open('ram:1');
    const client = await world.client();
    await client.read(0, 4096);
    t.ok(taken > before, server);
  }
});

t.test('a client whose disk is slow is not dropped', async (t) => {
  const world = nbdWorld(t, {
    tcp: true,
    limits: { maxRequestMemoryBytes: 64 * MIB, stallTimeoutSeconds: 1 },
  });
  const vbd = await world.open('ram:64');
  const client = await world.client();
  await vbd.pause();
  const reads = Promise.all([client.read(0, 32 * MIB), client.read(0, 32 * MIB)]);
  await until(() => world.nbd.requestMemoryBytes > 0);
  await world.server.sleep(4);
  await vbd.resume();
  t.strictSame(
    (await reads).map(({ length }) => length),
    [32 * MIB, 32 * MIB],
  );
});

t.test('a rejected connection is closed, and its bytes are not read', async (t) => {
  const world = nbdWorld(t, { tcp: true, limits: { maxConnectionsPerPeer: 1 } });
  await world.open('ram:1');
  await world.client();
  const raw = world.raw();
  raw.send(u32(3), Buffer.alloc(8 * MIB));
  t.equal((await raw.rest()).length, 0);
});
