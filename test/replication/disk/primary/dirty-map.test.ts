// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import { DirtyMap } from '../../../../src/replication/disk/primary/dirty-map.js';
import { Completions } from '../../../../src/server/completions.js';
import { SimulatedWorld } from '../../../../src/testing/index.js';
import { HeldCalls } from '../held-calls.js';

const PATH = '/srv/map';
const SALT = '0123456789abcdef';
/** More than one sector of the map has. */
const GRAINS = 5000;

/** A map in a file whose syncs a test holds back. */
async function mapIn(t: Test) {
  const world = new SimulatedWorld();
  const host = world.host('10.0.0.1');
  host.files.put('/srv/other', new Uint8Array(1));
  const held = new HeldCalls();
  const files = held.over(host.files.calls(new Completions(host.serve(), host.posix, host.logger)));
  const map = await world.complete(DirtyMap.create(files, PATH, GRAINS, SALT));
  t.teardown(() => world.run(1));
  const load = () => world.complete(DirtyMap.load(files, PATH, GRAINS, SALT, (text) => notices.push(text)));
  const notices: string[] = [];
  return { world, held, map, host, load, notices };
}

t.test('grains marked while others are written wait for their own sync', async (t) => {
  const { world, held, map } = await mapIn(t);
  held.hold('fdatasync', PATH);
  const told: number[] = [];
  map.raise(1, 1, () => told.push(1));
  await world.run(0.1);
  map.raise(2, 2, () => told.push(2));
  await world.run(0.1);
  t.same([told, map.has(1, 1), map.has(2, 2)], [[], false, false]);
  held.release('fdatasync', PATH);
  held.hold('fdatasync', PATH);
  await world.run(0.1);
  t.same([told, map.has(1, 1), map.has(2, 2)], [[1], true, false], 'the second may have come too late');
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same([told, map.has(1, 2)], [[1, 2], true]);
});

t.test('a cleared grain is not relied on, even if its sector is being written', async (t) => {
  const { world, held, map } = await mapIn(t);
  await world.complete(new Promise<number>((resolve) => map.raise(1, 4, resolve)));
  map.lower(3);
  t.notOk(map.has(3, 3), 'one that has fallen');
  t.ok(map.has(1, 2), 'the others are as they were');
  held.hold('fdatasync', PATH);
  map.raise(10, 12, () => {});
  await world.run(0.1);
  map.lower(11);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same([map.has(10, 10), map.has(11, 11)], [true, false], 'one that fell meanwhile');
});

t.test('marks survive a power loss, and a damaged part counts as marked', async (t) => {
  const { world, map, host, load, notices } = await mapIn(t);
  await world.complete(new Promise<number>((resolve) => map.raise(4998, 4999, resolve)));
  host.files.system.losePower({ remains: () => [], keepsEntries: () => true });
  t.same([...(await load()).bits], [4998, 4999]);
  host.files.rot(PATH, 20);
  const damaged = await load();
  t.equal(damaged.bits.count, 4032 + 2);
  t.match(notices.join(), /the sector at 0 is damaged/);
});
