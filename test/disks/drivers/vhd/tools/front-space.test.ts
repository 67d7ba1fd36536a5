// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Blocks, loadImage } from '../../../../../src/disks/drivers/vhd/load-image.js';
import { openToRead } from '../../../../../src/disks/drivers/vhd/parent-search.js';
import { frontSpace } from '../../../../../src/disks/drivers/vhd/tools/front-space.js';
import { resize } from '../../../../../src/disks/drivers/vhd/tools/resize.js';
import { emptyLocator } from '../../../../../src/disks/drivers/vhd/locator.js';
import { FileError } from '../../../../../src/disks/drivers/index.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import type { FileWorld } from '../../../../testing/files/fixture.js';
import { LEAF, worldWith } from '../order-world.js';
import { endFooterOf, patchHeader, run } from './tool-world.js';

/** An image of one block, which is at this sector of the file; the metadata ends at sector 6. */
function worldWithBlockAt(place: number): FileWorld {
  const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
  const image = world.files.contents(LEAF);
  const bytes = Buffer.alloc((place + 10) * SECTOR_SIZE);
  bytes.set(image.subarray(0, -SECTOR_SIZE));
  bytes.writeUInt32BE(place, 1536);
  bytes.set(image.subarray(-SECTOR_SIZE), bytes.length - SECTOR_SIZE);
  world.files.put(LEAF, bytes);
  return world;
}

/** Where there is room for so many sectors; undefined where a block would have to be moved. */
async function roomFor(world: FileWorld, sectors: number): Promise<number | undefined> {
  return await run(world, function* (calls) {
    const file = yield* openToRead(calls, LEAF);
    try {
      const image = yield* loadImage(file);
      return yield* frontSpace(image, image.blocks as Blocks, sectors);
    } catch (error) {
      // The file is open for reading only.
      if (error instanceof FileError) return undefined;
      throw error;
    } finally {
      yield* file.close();
    }
  });
}

async function rooms(world: FileWorld, upTo: number): Promise<readonly (number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (let sectors = 1; sectors <= upTo; sectors++) found.push(await roomFor(world, sectors));
  return found;
}

t.test('room before the first block is used to its last sector', async (t) => {
  t.same(await rooms(worldWithBlockAt(10), 5), [6, 6, 6, 6, undefined]);
});

t.test('a locator keeps every sector in which it has a byte', async (t) => {
  for (const [offset, dataSpace] of [
    [8 * SECTOR_SIZE + 500, SECTOR_SIZE],
    [8 * SECTOR_SIZE, 2 * SECTOR_SIZE],
    [8 * SECTOR_SIZE + 1, 2 * SECTOR_SIZE - 1],
  ] as const) {
    const world = worldWithBlockAt(13);
    patchHeader(world, LEAF, { locators: [{ ...emptyLocator, code: 'W2ru', dataSpace, offset }] });
    t.same(await rooms(world, 4), [6, 6, 10, undefined]);
  }
});

t.test('room that earlier metadata left is used again from its first sector to its last', async (t) => {
  const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
  const grow = (sectors: number) =>
    run(world, (calls) => resize(calls, { path: LEAF, size: sectors * SECTOR_SIZE }));
  await grow(80);
  t.equal(endFooterOf(world, LEAF).dataOffset, 6 * SECTOR_SIZE);
  // A header of two sectors, a BAT, the header of a batmap and its map: all that there was after the copy of the footer.
  t.equal(await roomFor(world, 5), 1);
  t.equal(await roomFor(world, 6), 11);
  await grow(160);
  t.equal(endFooterOf(world, LEAF).dataOffset, SECTOR_SIZE);
});
