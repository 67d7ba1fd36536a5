// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/errno.js';
import type { ReplicaNode } from '../../../src/testing/simulation/replica-node.js';
import { type Disk, nameOf, Scene } from '../../../src/testing/simulation/scene.js';

/** One disk whose two sides run; the name of the backup may take a while to be found. */
function disk(lookupSeconds = 0) {
  const scene = new Scene(1, { maxDisks: 1, traceLines: 10_000 });
  const [only] = scene.disks as [Disk];
  const { backup, primary } = only;
  scene.world.name(nameOf(backup), { addresses: [backup.name], afterSeconds: lookupSeconds });
  for (const host of scene.hosts) scene.boot(host);
  const side = (host: typeof backup) => only.nodes.get(host) as ReplicaNode;
  return { scene, world: scene.world, only, backup: side(backup), primary: side(primary) };
}

t.test('the host with the address becomes the server, the other one the client', async (t) => {
  const { scene, world, only, backup, primary } = disk();
  t.equal(primary.name, only.primary.name);
  for (const node of [primary, backup]) node.calmDown();
  await world.run(5);
  t.ok(scene.isConnected(only));
  t.ok(primary.isAlive && backup.isAlive);
  t.ok(primary.eventCount > 0);
  await world.shutDown();
});

t.test('a side that is dropped during the lookup of its peer starts once', async (t) => {
  const { scene, world, only, primary, backup } = disk(3);
  for (const node of [primary, backup]) node.calmDown();
  await world.run(0.5);
  primary.drop();
  backup.drop();
  await world.run(() => scene.isConnected(only) || world.nowSeconds > 60);
  t.ok(world.nowSeconds < 5, `${world.nowSeconds} s`);
  const sessions = [primary.session, backup.session];
  await world.run(10);
  t.same(scene.violations.list, []);
  t.equal(primary.session, sessions[0], 'the second lookup changes nothing');
  t.equal(backup.session, sessions[1]);
  await world.shutDown();
});

t.test('a side that was stopped does not start, neither after its lookup nor a second later', async (t) => {
  const { scene, world, primary, backup } = disk(3);
  await world.run(0.5);
  primary.stop();
  backup.drop();
  backup.stop();
  primary.drop();
  await world.run(20);
  for (const node of [primary, backup]) {
    t.equal(node.connect.attempts, 0);
    t.equal(node.eventCount, 0);
  }
  t.same(await world.shutDown(), []);
  t.same(scene.violations.list, []);
});

t.test('a side that drops its connection starts over a second later', async (t) => {
  for (const drops of ['primary', 'backup'] as const) {
    const { scene, world, only, ...sides } = disk();
    for (const node of [sides.primary, sides.backup]) node.calmDown();
    await world.run(() => scene.isConnected(only) || world.nowSeconds > 60);
    const start = world.nowSeconds;
    sides[drops].drop();
    t.notOk(scene.isConnected(only));
    t.equal(sides[drops].session, undefined);
    await world.run(0.9);
    t.notOk(scene.isConnected(only));
    await world.run(() => scene.isConnected(only) || world.nowSeconds > 60);
    t.ok(world.nowSeconds - start < 4, `${drops}: ${world.nowSeconds - start} s`);
    t.same(scene.violations.list, []);
    await world.shutDown();
  }
});

t.test('a side that has calmed down keeps every later connection, too', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const scene = new Scene(seed, { maxDisks: 1 });
    const [only] = scene.disks as [Disk];
    for (const host of scene.hosts) scene.boot(host);
    for (const node of scene.nodes) node.calmDown();
    const { world } = scene;
    await world.run(() => scene.isConnected(only) || world.nowSeconds > 60);
    const session = only.nodes.get(only.primary)?.session;
    await world.run(10);
    t.ok(session !== undefined && only.nodes.get(only.primary)?.session === session, `seed ${seed}`);
    await world.shutDown();
  }
});

t.test('a side of a dead process does not count as running, and starts nothing', async (t) => {
  const { scene, world, only, primary } = disk(3);
  await world.run(0.5);
  only.primary.crash();
  t.notOk(primary.isAlive);
  only.primary.restart();
  t.notOk(primary.isAlive, 'the process is another one');
  await world.run(20);
  t.equal(primary.connect.attempts, 0);
  t.ok(scene.isConnected(only));
  t.ok(only.nodes.get(only.primary)?.isAlive);
  t.same(scene.violations.list, []);
  await world.shutDown();
});

t.test('a side that gives up connecting has no session, and tries again a second later', async (t) => {
  const { scene, world, only, primary } = disk();
  const link = world.link(only.primary, only.backup).unreachable(errno.EHOSTUNREACH);
  for (const node of scene.nodes) node.calmDown();
  await world.run(3.5);
  t.equal(primary.session, undefined);
  t.ok(primary.connect.attempts >= 3 && primary.connect.attempts <= 4, `${primary.connect.attempts}`);
  link.heal();
  await world.run(2);
  t.ok(scene.isConnected(only));
  t.same(scene.violations.list, []);
  await world.shutDown();
});
