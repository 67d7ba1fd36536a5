// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { coalesce } from '../../../../../src/disks/drivers/vhd/tools/coalesce.js';
import { repair } from '../../../../../src/disks/drivers/vhd/tools/repair.js';
import { resize } from '../../../../../src/disks/drivers/vhd/tools/resize.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, worldWith } from '../order-world.js';
import { simulatedCalls, simulatedResult } from '../sim-disk.js';
import { family, link, PARENT, patch, patchHeader, run } from './tool-world.js';

const uuid = new Uint8Array(16).fill(1);
const grow = (world: FileWorld) =>
  run(world, (calls) => resize(calls, { path: LEAF, size: 4096 * SECTOR_SIZE }));
const merge = (world: FileWorld, child = LEAF, relink: readonly string[] = []) =>
  run(world, (calls) => coalesce(calls, { child, relink }));

t.test('an image with a fault is not changed by a tool that does not mend it', async (t) => {
  for (const [expected, spoil] of [
    [/bad-bat: BAT entry 2: /, (bytes: Uint8Array) => bytes.copyWithin(1536 + 8, 1536 + 4, 1536 + 8)],
    [/truncated: BAT entry 2: /, undefined],
  ] as const) {
    const world = await family();
    if (spoil) patch(world, LEAF, spoil);
    else world.files.put(LEAF, world.files.contents(LEAF).slice(0, -3 * SECTOR_SIZE));
    const before = world.files.contents(LEAF).slice();
    await t.rejects(grow(world), expected);
    t.same(world.files.contents(LEAF), before);
    t.same(world.files.descriptors(), []);
  }
});

/** Opens a file as another program does, and locks it so that others can share it. */
async function shareLock(world: FileWorld, path: string): Promise<void> {
  const calls = simulatedCalls(world);
  const fd = await simulatedResult(world, (done) => calls.files.open(path, constants.O_RDONLY, done));
  const locked = await simulatedResult(world, (done) => calls.lock(fd, true, done));
  if (locked !== 0) throw new Error(`lock: ${locked}`);
}

t.test('what a tool writes to must have no other user, what it only reads no writer', async (t) => {
  const world = await family();
  await shareLock(world, LEAF);
  await t.rejects(grow(world), /leaf.vhd: cannot lock: /);
  const mend = (write: boolean) => run(world, (calls) => repair(calls, { path: LEAF, write, uuid }));
  await t.rejects(mend(true), /leaf.vhd: cannot lock: /);
  t.same(await mend(false), [], 'nothing is written');
  t.match(await merge(world), { isStopped: false }, 'the child is read');
});

t.test('a parent or a child that is to be changed must have no other user', async (t) => {
  for (const isRaw of [false, true]) {
    const world = worldWith([link, link]);
    if (isRaw) {
      world.files.put(PARENT, new Uint8Array(64 * SECTOR_SIZE));
      patchHeader(world, LEAF, { parentUuid: new Uint8Array(16) });
    }
    await shareLock(world, PARENT);
    await t.rejects(merge(world), /parent0.vhd: cannot lock: /, isRaw ? 'raw' : 'vhd');
  }
  const world = worldWith([link, link, link]);
  await shareLock(world, LEAF);
  await t.rejects(merge(world, '/d/parent1.vhd', [LEAF]), /leaf.vhd: cannot lock: /);
});
