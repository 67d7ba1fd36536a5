// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged } from './sim-disk.js';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';

interface CountedDisk {
  readonly disk: VhdDisk;
  /** The lengths of the reads that reading some sectors takes, in sectors. */
  readonly readsOf: (sector: number, sectors: number) => Promise<readonly number[]>;
}

async function openCounted(world: FileWorld): Promise<CountedDisk> {
  const calls = simulatedCalls(world);
  const lengths: number[] = [];
  const read = calls.files.read.bind(calls.files);
  calls.files.read = (fd, buffer, position, done) => {
    lengths.push(buffer.length / SECTOR_SIZE);
    read(fd, buffer, position, done);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: true }, calls);
  const readsOf = async (sector: number, sectors: number): Promise<readonly number[]> => {
    lengths.length = 0;
    const buffer = Buffer.alloc(sectors * SECTOR_SIZE);
    const range = { sector, sectors, buffer };
    t.equal(await simulatedResult(world, (done) => disk.read({ ...range, complete: done }, done)), 0);
    return [...lengths];
  };
  return { disk, readsOf };
}

t.test('sectors that are neighbours in a file are read at once, whatever blocks lie above it', async (t) => {
  const world = worldWith([
    { sectors: 64, blockSectors: 64 },
    { sectors: 64, blockSectors: 8 },
  ]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 0, tagged(40, 7));
  await simulated(world, parent.close());
  const { disk, readsOf } = await openCounted(world);
  t.same(await readsOf(2, 20), [1, 20], 'a bitmap, and the data');
  t.same(await readsOf(2, 20), [20], 'the bitmap is kept');
  t.same(await readsOf(30, 30), [10], 'zeroes are not read');
  t.same(await tags(world, disk, 38, 4), [7, 7, 0, 0]);
});

t.test('what a child has is read from it, and the rest in as few pieces as that leaves', async (t) => {
  const world = worldWith([
    { sectors: 64, blockSectors: 64 },
    { sectors: 64, blockSectors: 16 },
  ]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 0, tagged(64, 7));
  await simulated(world, parent.close());
  const child = await open(world);
  await write(world, child, 20, tagged(2, 8));
  await write(world, child, 30, tagged(4, 8));
  await simulated(world, child.close());
  const { disk, readsOf } = await openCounted(world);
  await readsOf(0, 64);
  // The child's blocks adjoin on the disk, and have a bitmap between them in the file.
  t.same(await readsOf(0, 64), [20, 2, 8, 2, 2, 30]);
  t.same(await tags(world, disk, 19, 4), [7, 8, 8, 7]);
  t.same(await tags(world, disk, 29, 6), [7, 8, 8, 8, 8, 7]);
});

t.test('a bitmap that was written with its data need not be read', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const first = await open(world);
  await write(world, first, 0, tagged(1, 7));
  await simulated(world, first.close());
  const calls = simulatedCalls(world);
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  await write(world, disk, 3, tagged(1, 8));
  const read = calls.files.read.bind(calls.files);
  let reads = 0;
  calls.files.read = (...call) => {
    reads++;
    read(...call);
  };
  t.same(await tags(world, disk, 3, 1), [8]);
  t.equal(reads, 1);
});

t.test('a read whose bitmap cannot be read fails, and the next one reads it again', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await open(world);
  await write(world, disk, 16, tagged(1, 8));
  await simulated(world, disk.close());
  const again = await open(world, LEAF, true);
  world.files.failCalls({ calls: ['read'], error: errno.EIO });
  t.same(await tags(world, again, 10, 10), [-errno.EIO]);
  t.same(await tags(world, again, 15, 3), [0, 8, 0]);
});
