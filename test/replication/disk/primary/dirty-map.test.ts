// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t, { type Test } from 'tap';
import type { FileCalls } from '../../../../src/posix/files.js';
import { errno } from '../../../../src/posix/index.js';
import { DirtyMap } from '../../../../src/replication/disk/primary/dirty-map.js';
import { Completions } from '../../../../src/server/completions.js';
import { type SimulatedHost, SimulatedWorld } from '../../../../src/testing/index.js';
import { HeldCalls } from '../held-calls.js';

const PATH = '/srv/map';
const SALT = '0123456789abcdef';
/** More than one sector of the map has. */
const GRAINS = 5000;

/** A map in a file whose syncs a test holds back. */
async function mapIn(t: Test) {
  const world = new SimulatedWorld({ traceLines: 0 });
  const host = world.host('10.0.0.1');
  host.files.put('/srv/other', new Uint8Array(1));
  const held = new HeldCalls();
  const calls: string[] = [];
  const files = new Proxy(
    held.over(host.files.calls(new Completions(host.serve(), host.posix, host.logger))),
    {
      get: (target, name: keyof FileCalls) => {
        calls.push(name);
        return target[name];
      },
    },
  );
  const map = await world.complete(DirtyMap.create(files, PATH, GRAINS, SALT));
  t.teardown(() => world.run(1));
  const load = () => world.complete(DirtyMap.load(files, PATH, GRAINS, SALT, (text) => notices.push(text)));
  const notices: string[] = [];
  return { world, held, files, calls, map, host, load, notices };
}

const openFiles = (host: SimulatedHost): readonly string[] =>
  host.leftovers().filter((line) => line.includes(': file '));

t.test('a map has no more sectors than its grains fill', async (t) => {
  const { world, files, host } = await mapIn(t);
  await world.complete(DirtyMap.create(files, '/srv/even', 2 * 4032, SALT));
  t.equal(host.files.contents('/srv/even').length, 1024);
});

t.test('what is read of a map is durable', async (t) => {
  const { world, held, files } = await mapIn(t);
  held.hold('synced', PATH);
  let isLoaded = false;
  const loading = DirtyMap.load(files, PATH, GRAINS, SALT, () => {}).then(() => (isLoaded = true));
  await world.run(0.1);
  t.same([held.waiting('synced', PATH), isLoaded], [1, false]);
  held.release('synced', PATH);
  await world.complete(loading);
});

t.test('neighbouring sectors of a map are written durably by one call', async (t) => {
  const { world, held, map, calls } = await mapIn(t);
  held.hold('fdatasync', PATH);
  map.raise(1, 1, () => {});
  const results: number[] = [];
  map.raise(4999, 4999, (result) => results.push(result));
  map.raise(2, 2, (result) => results.push(result));
  await world.run(0.1);
  calls.splice(0);
  held.release('fdatasync', PATH);
  await world.run(0.1);
  t.same([results, calls], [[0, 0], ['write']]);
  map.lower(1);
  map.sync((result) => results.push(result));
  await world.run(0.1);
  t.same(
    [results, calls],
    [
      [0, 0, 0],
      ['write', 'write'],
    ],
  );
});

for (const nth of [1, 2]) {
  t.test(`sectors of a map that are apart are all durable, or none is relied on (${nth})`, async (t) => {
    const { world, files, host } = await mapIn(t);
    const map = await world.complete(DirtyMap.create(files, '/srv/long', 3 * 4032, SALT));
    const raise = () => world.complete(new Promise<number>((resolve) => map.raiseAll([1, 9000], resolve)));
    if (nth === 1) {
      t.equal(await raise(), 0);
      host.files.system.losePower({ remains: () => [], keepsEntries: () => true });
      const again = await world.complete(DirtyMap.load(files, '/srv/long', 3 * 4032, SALT, () => {}));
      t.same([...again.bits], [1, 9000]);
    } else {
      host.files.failCalls({ calls: ['write'], nth: 2, error: errno.EIO });
      t.equal(await raise(), -errno.EIO);
      t.same([map.has(1, 1), map.has(9000, 9000)], [false, false]);
    }
  });
}

t.test('a map that is closed, or cannot be made or read, holds no file open', async (t) => {
  const { world, files, map, host, load } = await mapIn(t);
  t.equal(openFiles(host).length, 2);
  await world.complete(map.close());
  t.same(openFiles(host), []);
  host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  await t.rejects(world.complete(DirtyMap.create(files, '/srv/new', GRAINS, SALT)), /write \/srv\/new: EIO/);
  t.same(openFiles(host), []);
  for (const call of ['fdatasync', 'read'] as const) {
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    await t.rejects(load(), /\/srv\/map: EIO/);
    t.same(openFiles(host), []);
  }
});

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

const raised = (world: SimulatedWorld, map: DirtyMap, from: number, to: number): Promise<number> =>
  world.complete(new Promise<number>((resolve) => map.raise(from, to, resolve)));

t.test('a new map is empty, and so is what is read of it', async (t) => {
  const { map, load, notices, host } = await mapIn(t);
  t.same([map.grains, map.bits.count, [...map.bits], map.has(0, 0)], [GRAINS, 0, [], false]);
  t.equal(host.files.contents(PATH).length, 1024);
  t.equal((await load()).bits.count, 0);
  t.same(notices, []);
});

t.test('a range is durable only if all of it is', async (t) => {
  const { world, map } = await mapIn(t);
  t.equal(await raised(world, map, 10, 12), 0);
  t.same([map.has(10, 12), map.has(9, 12), map.has(10, 13), map.has(11, 11)], [true, false, false, true]);
  t.ok(map.has(5, 4), 'of an empty one there is nothing that is not');
  t.same([...map.bits], [10, 11, 12]);
});

t.test('grains of several sectors are raised by one write of each, and one sync', async (t) => {
  const { world, map, load, host } = await mapIn(t);
  const fault = host.files.failCalls({ calls: ['fdatasync'], nth: 2, error: errno.EIO });
  t.equal(await raised(world, map, 4030, 4033), 0);
  t.equal(fault.failed, 0);
  fault.cancel();
  t.same([...(await load()).bits], [4030, 4031, 4032, 4033]);
});

t.test('a grain that falls is gone from the file after the next sync', async (t) => {
  const { world, map, load } = await mapIn(t);
  await raised(world, map, 1, 3);
  map.lower(2);
  map.lower(2);
  map.lower(77);
  t.same([...map.bits], [1, 3]);
  t.same([...(await load()).bits], [1, 2, 3], 'not before');
  t.equal(await world.complete(new Promise<number>((resolve) => map.sync(resolve))), 0);
  t.same([...(await load()).bits], [1, 3]);
  await raised(world, map, 2, 2);
  t.ok(map.has(1, 3));
  t.same([...(await load()).bits], [1, 2, 3]);
});

t.test('grains that are durable already need no write', async (t) => {
  const { world, map, host } = await mapIn(t);
  await raised(world, map, 1, 3);
  const fault = host.files.failCalls({ calls: ['write'], error: errno.EIO });
  t.equal(await raised(world, map, 1, 3), 0);
  t.equal(fault.failed, 0);
});

t.test('a map that was read is as durable as it was', async (t) => {
  const { world, map, load } = await mapIn(t);
  await raised(world, map, 4031, 4040);
  const again = await load();
  t.ok(again.has(4031, 4040));
  t.notOk(again.has(4030, 4031));
});

t.test('a damaged sector counts as raised, is not relied on, and is written anew', async (t) => {
  const { world, map, host, load, notices } = await mapIn(t);
  await raised(world, map, 3, 3);
  host.files.rot(PATH, 512 + 20);
  const damaged = await load();
  t.match(notices, [/the sector at 512 is damaged/]);
  t.same(
    [damaged.bits.count, damaged.bits.has(4031), damaged.bits.has(4032)],
    [1 + GRAINS - 4032, false, true],
  );
  t.ok(damaged.bits.has(GRAINS - 1));
  t.notOk(damaged.has(4032, 4032));
  t.equal(await raised(world, damaged, 0, -1), 0);
  t.ok(damaged.has(4032, GRAINS - 1));
  t.same((await load()).bits.count, 1 + GRAINS - 4032);
  t.equal(notices.length, 1);
});

t.test('a map that is missing is made anew, with every grain raised', async (t) => {
  const { world, host, load, notices } = await mapIn(t);
  t.equal(host.files.system.unlink(PATH), 0);
  const map = await load();
  t.match(notices, [/\/srv\/map is missing: every grain may differ/]);
  t.equal(map.bits.count, GRAINS);
  t.equal(await world.complete(new Promise<number>((resolve) => map.sync(resolve))), 0);
  t.equal((await load()).bits.count, GRAINS);
  t.equal(notices.length, 1);
});

for (const call of ['write', 'fdatasync'] as const) {
  t.test(`after a failed ${call} nothing is raised any more`, async (t) => {
    const { world, map, host } = await mapIn(t);
    host.files.failCalls({ calls: [call], nth: 1, error: errno.EIO });
    const results: number[] = [];
    for (const grain of [1, 2]) map.raise(grain, grain, (result) => results.push(result));
    await world.run(0.1);
    t.same(results, [-errno.EIO, -errno.EIO]);
    t.notOk(map.has(1, 1));
    t.equal(await raised(world, map, 3, 3), -errno.EIO);
    t.notOk(map.bits.has(3));
  });
}
