// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { type Disk, nameOf, Scene } from '../../../src/testing/simulation/scene.js';

const shape = ({ disks, hosts: [one] }: Scene): string =>
  disks
    .map(({ backup, address }) => `${backup === one ? 'one' : 'other'} ${address.split(':')[1]}`)
    .join(', ');

t.test('there are one or two disks, and the second may be backed up the other way round', async (t) => {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= 200; seed++) {
    const what = shape(new Scene(seed));
    counts.set(what, (counts.get(what) ?? 0) + 1);
    t.equal(shape(new Scene(seed, { maxDisks: 1 })), 'one 9001');
  }
  t.same([...counts.keys()].toSorted(), ['one 9001', 'one 9001, one 9002', 'one 9001, other 9002']);
  const single = counts.get('one 9001') ?? 0;
  t.ok(single > 90 && single < 150, `${single} of 200 have one disk`);
});

t.test('a disk is at the name of its backup, which both hosts find', async (t) => {
  const scene = new Scene(1);
  const [{ backup, address }] = scene.disks as [Disk];
  t.equal(address, 'host-10-0-0-1.example:9001');
  for (const { posix } of scene.hosts) {
    const found = await scene.world.complete(posix.resolve(nameOf(backup), '9001'));
    t.match(found, [{ address: backup.name, port: 9001 }]);
  }
  t.equal(scene.stranger.name, '10.0.0.99');
});

t.test('a process of the scene has 17 descriptors at most, from 3 to 19', async (t) => {
  for (const { posix } of new Scene(1).hosts) {
    const fds: number[] = [];
    for (let fd = posix.eventfd(); fd >= 0; fd = posix.eventfd()) fds.push(fd);
    t.equal(fds.at(-1), 19);
    t.equal(posix.eventfd(), -errno.EMFILE);
  }
});

t.test('a disk is connected while both sides hear each other on one connection', async (t) => {
  const scene = new Scene(1, { maxDisks: 1 });
  const { world } = scene;
  const [disk] = scene.disks as [Disk];
  t.notOk(scene.isConnected(disk), 'nobody runs');
  for (const host of scene.hosts) scene.boot(host);
  t.equal(scene.nodes.length, 2);
  for (const node of scene.nodes) node.calmDown();
  t.notOk(scene.isConnected(disk), 'nobody has connected');
  await world.run(5);
  t.ok(scene.isConnected(disk));
  disk.backup.crash('silence');
  await world.run(30);
  t.notOk(scene.isConnected(disk), 'the primary has noticed');
  disk.backup.restart();
  await world.run(30);
  t.ok(scene.isConnected(disk));
  t.same(scene.violations.list, []);
  await world.shutDown();
});
