// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { NodePosix } from '../../src/posix/index.js';
import { ManualClock } from '../disks/bench.js';
import { nbdWorld, type NbdWorld, until } from './nbd-world.js';
import { type RawClient, request, u32 } from './raw-client.js';

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

t.test('a client that stops in the middle of a request has 30 s, and is looked for every 5 s', async (t) => {
  const clock = new ManualClock();
  const world = nbdWorld(t, { posix: new NodePosix({ clock }) });
  await world.open('ram:1');
  const [other, half] = [await world.client(), await world.raw().go()];
  half.send(request(READ, { length: MIB }).subarray(0, 14));
  await other.flush();
  /** So many seconds pass, and the server has had its turns. @returns how many clients are left */
  const after = async (seconds: number): Promise<number> => {
    clock.seconds += seconds;
    await other.flush();
    await world.server.sleep(0);
    return world.nbd.connections;
  };
  t.equal(await after(5), 2, 'from now on nothing comes');
  for (const seconds of [5, 5, 5, 5, 5, 4]) t.equal(await after(seconds), 2);
  t.equal(await after(1), 1);
  t.equal((await half.rest()).length, 0);
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
