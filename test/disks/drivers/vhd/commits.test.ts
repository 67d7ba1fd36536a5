// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { MAX_CACHED_BITMAPS } from '../../../../src/disks/drivers/vhd/bitmap-cache.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { LEAF, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulatedCalls, tagged } from './sim-disk.js';

const BLOCK_SECTORS = 8;
const OTHERS = BLOCK_SECTORS * MAX_CACHED_BITMAPS;

/** A disk some writes to whose file wait: single sectors that begin with a byte that `isHeld` picks. */
async function diskWithHeldWrites(isHeld: (byte: number) => boolean) {
  const world = worldWith([{ sectors: BLOCK_SECTORS + OTHERS, blockSectors: BLOCK_SECTORS }]);
  const calls = simulatedCalls(world);
  const writeFile = calls.files.write.bind(calls.files);
  const held: (() => void)[] = [];
  const heldWrite: typeof writeFile = (fd, buffer, position, done) => {
    const go = (): void => writeFile(fd, buffer, position, done);
    if (buffer.length === SECTOR_SIZE && isHeld(buffer[0] as number)) held.push(go);
    else go();
  };
  Object.assign(calls.files, { write: heldWrite });
  return { world, held, disk: await openSimulated(world, LEAF, { readOnly: false }, calls) };
}

function begin(disk: VhdDisk, sector: number, tag: number): Promise<number> {
  return new Promise((done) => {
    disk.write({ sector, sectors: 1, buffer: tagged(1, tag), complete: done }, done);
  });
}

t.test('a write that takes long keeps what others write to its block meanwhile', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites((byte) => byte === 2);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  const long = begin(disk, 5, 2);
  t.equal(await write(world, disk, 3, tagged(1, 3)), 0);
  // So many other blocks that the bitmap of this one is not in memory any more, unless it is held.
  t.equal(await write(world, disk, BLOCK_SECTORS, tagged(OTHERS, 9)), 0);
  t.equal(await write(world, disk, 7, tagged(1, 4)), 0);
  t.equal(held.length, 1);
  held[0]?.();
  t.equal(await world.world.complete(long), 0);
  t.same(await tags(world, disk, 0, BLOCK_SECTORS), [1, 0, 0, 3, 0, 2, 0, 4]);
});

t.test('a commit that waits for another keeps what is written to its blocks meanwhile', async (t) => {
  let holds = false;
  // Tags are below 128; the bitmap of a block with its first sector begins with a byte above.
  const { world, held, disk } = await diskWithHeldWrites((byte) => holds && byte >= 128);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  t.equal(await write(world, disk, BLOCK_SECTORS, tagged(OTHERS, 9)), 0);
  t.same(await tags(world, disk, 0, 1), [1]);
  holds = true;
  const first = begin(disk, 3, 3);
  await world.world.run(1);
  const second = begin(disk, 5, 2);
  await world.world.run(1);
  t.equal(held.length, 1, 'the second commit waits for the first');
  held[0]?.();
  await world.world.run(1);
  t.equal(held.length, 2);
  await tags(world, disk, BLOCK_SECTORS, OTHERS);
  const third = begin(disk, 7, 4);
  await world.world.run(1);
  holds = false;
  held[1]?.();
  t.same(await world.world.complete(Promise.all([first, second, third])), [0, 0, 0]);
  t.same(await tags(world, disk, 0, BLOCK_SECTORS), [1, 0, 0, 3, 0, 2, 0, 4]);
});
