// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { repair, type RepairResult } from '../../../../src/disks/drivers/vhd/tools/repair.js';
import type { LocatorEntry } from '../../../../src/disks/drivers/vhd/locator.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { LEAF, open, worldWith, write } from './order-world.js';
import { simulated, tagged } from './sim-disk.js';
import { headerOf, link, patchHeader, run, setBatmap } from './tools/tool-world.js';

/** A child without blocks, whose batmap claims one. */
function wrongBatmap(change: (locator: LocatorEntry) => Partial<LocatorEntry>): FileWorld {
  const world = worldWith([link, link]);
  const locators = headerOf(world, LEAF).locators.map((locator) => ({ ...locator, ...change(locator) }));
  patchHeader(world, LEAF, { locators });
  setBatmap(world, LEAF, Uint8Array.of(0b1000_0000));
  return world;
}

const mend = (world: FileWorld): Promise<RepairResult> =>
  run(world, (calls) => repair(calls, { path: LEAF, write: true, uuid: new Uint8Array(16) }));

// The BAT takes the sector from 1536 on, the batmap those from 2048 and 2560 on; the locators come after it.
const EMPTIED = ['the batmap is made empty'];

t.test('a batmap that is wrong is made empty where locators come right after it', async (t) => {
  const world = wrongBatmap(() => ({}));
  t.equal(Math.min(...headerOf(world, LEAF).locators.map(({ offset }) => offset || Infinity)), 3072);
  t.same(await mend(world), EMPTIED);
  t.same(await mend(world), []);
});

t.test('a batmap that is wrong is left alone where a locator shares its place', async (t) => {
  for (const offset of [2048, 2560, 3071]) {
    const world = wrongBatmap(({ code }) => (code === 'MacX' ? { offset } : {}));
    const before = world.files.contents(LEAF).slice();
    t.same(await mend(world), [], String(offset));
    t.same(world.files.contents(LEAF), before, String(offset));
  }
});

t.test('a locator before the batmap, or one that is empty, does not keep it', async (t) => {
  for (const change of [{ offset: 1536 }, { code: '\0\0\0\0', offset: 2560 }]) {
    t.same(await mend(wrongBatmap(({ code }) => (code === 'MacX' ? change : {}))), EMPTIED);
  }
});

t.test('a batmap that is wrong is made empty by a writer that changes the image', async (t) => {
  const world = wrongBatmap(() => ({}));
  await simulated(world, (await open(world)).close());
  t.same(
    await run(world, (calls) => repair(calls, { path: LEAF, write: false, uuid: new Uint8Array(16) })),
    EMPTIED,
  );
  const disk = await open(world);
  await write(world, disk, 16, tagged(1, 1));
  await simulated(world, disk.close());
  t.same(await mend(world), []);
});
