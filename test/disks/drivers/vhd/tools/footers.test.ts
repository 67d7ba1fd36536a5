// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { vhdLink } from '../../../../../src/disks/drivers/vhd/chain.js';
import type { DiskCalls } from '../../../../../src/disks/drivers/vhd/disk.js';
import { loadImage } from '../../../../../src/disks/drivers/vhd/load-image.js';
import { openToRead } from '../../../../../src/disks/drivers/vhd/parent-search.js';
import type { Steps } from '../../../../../src/disks/drivers/vhd/steps.js';
import { relink } from '../../../../../src/disks/drivers/vhd/tools/relink.js';
import { repair } from '../../../../../src/disks/drivers/vhd/tools/repair.js';
import { resize } from '../../../../../src/disks/drivers/vhd/tools/resize.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import { FileRecorder, NOTHING_SURVIVES, Random } from '../../../../../src/testing/index.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, worldWith } from '../order-world.js';
import { simulated, simulatedCalls, withDevice } from '../sim-disk.js';
import { readState } from '../state-files.js';
import { endFooterOf, family, findings, link, PARENT, patch, run } from './tool-world.js';

/** What changes the footers of the leaf. */
const TOOLS: readonly (readonly [name: string, tool: (calls: DiskCalls) => Steps<unknown>])[] = [
  ['resize', (calls) => resize(calls, { path: LEAF, size: 8192 * SECTOR_SIZE })],
  ['relink', relinkLeaf],
  ['repair', (calls) => repair(calls, { path: LEAF, write: true, uuid: new Uint8Array(16) })],
];

function* relinkLeaf(calls: DiskCalls): Steps<void> {
  const file = yield* openToRead(calls, PARENT);
  try {
    yield* relink(calls, LEAF, vhdLink(yield* loadImage(file)));
  } finally {
    yield* file.close();
  }
}

t.test('an image whose copy of the footer is wrong is whole whenever the power is lost', async (t) => {
  for (const [name, tool] of TOOLS) {
    const world = await family();
    const image = world.files.contents(LEAF).fill(0, 0, SECTOR_SIZE);
    // With more room than it needs before the footer.
    const room = Buffer.alloc(16 * SECTOR_SIZE);
    world.files.put(
      LEAF,
      Buffer.concat([image.subarray(0, -SECTOR_SIZE), room, image.subarray(-SECTOR_SIZE)]),
    );
    world.files.system.syncAll();
    const before = readState(world.files.system, LEAF);
    const recorder = new FileRecorder(world.files.system);
    await run(world, tool);
    recorder.stop();
    for (const { operations, systems } of recorder.prefixes(new Random(1), name === 'resize' ? 2 : 24))
      for (const system of systems) {
        const found = readState(system, LEAF).subarray(0, before.length);
        t.ok(Buffer.from(before).equals(found), `${name}, after ${operations} operations`);
      }
  }
});

t.test('what a tool has written is durable when it is done', async (t) => {
  for (const [name, tool] of TOOLS) {
    const world = await family();
    if (name === 'repair') patch(world, LEAF, (bytes) => bytes.fill(0, bytes.length - SECTOR_SIZE));
    world.files.system.syncAll();
    await run(world, tool);
    const { dataOffset, sectors } = endFooterOf(world, LEAF);
    world.files.losePower(NOTHING_SURVIVES);
    t.match(endFooterOf(world, LEAF), { dataOffset, sectors }, name);
    t.same(await findings(world, LEAF), [], name);
  }
});

/** Runs a tool on the leaf as a block device that has some free sectors before its footer. */
async function onDevice(world: FileWorld, tool: (calls: DiskCalls) => Steps<unknown>): Promise<void> {
  const node = world.files.system.lookup(LEAF);
  if (typeof node === 'number') throw new Error('there is no leaf');
  await simulated(world, tool(withDevice(simulatedCalls(world), node.id)));
}

t.test('on a block device the footer is in the last sector, whatever is done to it', async (t) => {
  for (const [name, tool] of TOOLS) {
    const world = worldWith([link, link]);
    const image = world.files.contents(LEAF);
    const footer = image.slice(-SECTOR_SIZE);
    if (name === 'repair') footer.fill(0);
    world.files.put(
      LEAF,
      Buffer.concat([image.subarray(0, -SECTOR_SIZE), Buffer.alloc(100 * SECTOR_SIZE), footer]),
    );
    const { length } = world.files.contents(LEAF);
    await onDevice(world, tool);
    t.equal(world.files.contents(LEAF).length, length, name);
    t.same(await findings(world, LEAF), [], name);
  }
});
