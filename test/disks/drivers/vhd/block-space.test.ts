// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:fs';
import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { resize } from '../../../../src/disks/drivers/vhd/tools/resize.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { closesAfterHeld, LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged, withDevice } from './sim-disk.js';

/** Blocks of one sector lie eight sectors apart. */
const SPACING = 8;

/**
 * Writes the first sector of each block in turn, and returns by how many places the file grew each time. How many blocks
 * had a place by then goes to `places`.
 */
async function growths(blocks: number, written: number, places: number[] = []): Promise<readonly number[]> {
  const world = worldWith([{ sectors: blocks, blockSectors: 1 }]);
  const calls = simulatedCalls(world);
  let begun = 0;
  const lengths = [world.files.contents(LEAF).length / SECTOR_SIZE];
  const ftruncate = calls.files.ftruncate.bind(calls.files);
  calls.files.ftruncate = (fd, length, done) => {
    lengths.push(length / SECTOR_SIZE);
    places.push(begun);
    ftruncate(fd, length, done);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  for (let block = 0; block < written; block++) {
    begun = block + 1;
    const result = await write(world, disk, block, tagged(1, 1));
    if (result !== 0) throw new Error(`write: ${result}`);
  }
  return lengths.slice(1).map((end, index) => (end - (lengths[index] ?? 0)) / SPACING);
}

t.test('a file grows by 64 blocks at least, by as many as it has, and by 1024 at most', async (t) => {
  const places: number[] = [];
  const all = await growths(9000, 2600, places);
  const [first, second, third, ...more] = all;
  t.equal(first, 65);
  t.ok(second !== undefined && second >= 64 && second <= 66, `${second}`);
  t.ok(third !== undefined && third >= 65 && third < 140, `${third}`);
  for (const [index, growth] of more.entries()) {
    const before = more[index - 1] ?? third ?? 0;
    t.ok(growth >= before && growth <= before * 2.2 && growth <= 1025, `${before}, then ${growth}`);
  }
  t.equal(more.at(-1), 1025);
  // One more each time, and the last block is still to be filled.
  t.same(
    all.slice(1),
    places.slice(1).map((count) => Math.min(Math.max(count - 1, 64), 1024) + 1),
  );
});

t.test('an image that has most of its blocks grows by what it lacks', async (t) => {
  const world = worldWith([{ sectors: 100, blockSectors: 1 }]);
  const first = await open(world);
  for (let block = 0; block < 90; block++) await write(world, first, block, tagged(1, 1));
  await simulated(world, first.close());
  const { length } = world.files.contents(LEAF);
  const disk = await open(world);
  await write(world, disk, 95, tagged(1, 1));
  const growth = (world.files.contents(LEAF).length - length) / SECTOR_SIZE / SPACING;
  t.equal(growth, 11, 'ten blocks, and one more');
});

t.test('a file grows again when half of its new space is handed out', async (t) => {
  const world = worldWith([{ sectors: 9000, blockSectors: 1 }]);
  const calls = simulatedCalls(world);
  let extensions = 0;
  const ftruncate = calls.files.ftruncate.bind(calls.files);
  calls.files.ftruncate = (fd, length, done) => {
    extensions++;
    ftruncate(fd, length, done);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  const seen: number[] = [];
  for (let block = 0; block < 40; block++) {
    await write(world, disk, block, tagged(1, 1));
    seen.push(extensions);
  }
  // Of 65 places fewer than half are left after the 34th.
  t.same([...new Set(seen)], [1, 2]);
  t.equal(seen.indexOf(2), 33);
});

t.test('an image is not closed while its file grows ahead', async (t) => {
  const world = worldWith([{ sectors: 9000, blockSectors: 1 }]);
  const calls = simulatedCalls(world);
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  for (let block = 0; block < 33; block++) await write(world, disk, block, tagged(1, 1));
  const held: (() => void)[] = [];
  const fdatasync = calls.files.fdatasync.bind(calls.files);
  calls.files.fdatasync = (fd, done) => held.push(() => fdatasync(fd, done));
  await write(world, disk, 33, tagged(1, 1));
  await closesAfterHeld(t, world, disk, held);
});

/** A leaf of blocks of eight sectors whose BAT begins with these places; its file ends after the last of them. */
async function leafWithPlaces(places: readonly number[]): Promise<FileWorld> {
  const world = worldWith([{ sectors: 8 * 20, blockSectors: 8 }]);
  const image = world.files.contents(LEAF).slice();
  const table = new DataView(image.buffer, image.byteOffset + 1536);
  for (const [block, place] of places.entries()) table.setUint32(4 * block, place);
  world.files.put(LEAF, image);
  const { files } = simulatedCalls(world);
  const fd = await simulatedResult(world, (done) => files.open(LEAF, constants.O_RDWR, done));
  const end = (Math.max(...places) + 9) * SECTOR_SIZE;
  await simulatedResult(world, (done) => files.write(fd, image.subarray(-SECTOR_SIZE), end, done));
  await simulatedResult(world, (done) => files.close(fd, done));
  return world;
}

t.test('a block ends at sector 2^32 of its file at most', async (t) => {
  const world = await leafWithPlaces([2 ** 32 - 25]);
  const disk = await open(world);
  t.equal(await write(world, disk, 8, tagged(8, 5)), 0);
  t.equal(await write(world, disk, 16, tagged(1, 6)), -errno.ENOSPC);
  t.equal(await write(world, disk, 0, tagged(1, 7)), 0, 'what is there can be written');
  await simulated(world, disk.close());
  const again = await open(world, LEAF, true);
  t.same(await tags(world, again, 0, 9), [7, ...Array<number>(7).fill(0), 5]);
  t.same(await tags(world, again, 15, 2), [5, 0]);
});

t.test('no block is moved beyond sector 2^32 to make room for a longer BAT', async (t) => {
  for (const [last, isMoved] of [
    [2 ** 32 - 25, true],
    [2 ** 32 - 17, false],
  ] as const) {
    const world = await leafWithPlaces([7, last]);
    const resized = simulated(
      world,
      resize(simulatedCalls(world), { path: LEAF, size: 8 * 200 * SECTOR_SIZE }),
    );
    if (isMoved) t.equal((await resized).movedBlocks, 1);
    else
      await t.rejects(
        resized,
        /unsupported: BAT: there is no room for new metadata, and none to move blocks to/,
      );
    t.same(world.files.descriptors(), []);
  }
});

t.test('on a block device no block makes room for a longer BAT', async (t) => {
  const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
  const disk = await deviceWith(world, 100);
  await write(world, disk, 0, tagged(8, 7));
  await simulated(world, disk.close());
  const before = world.files.contents(LEAF).slice();
  const node = world.files.system.lookup(LEAF);
  if (typeof node === 'number') throw new Error('there is no leaf');
  const calls = withDevice(simulatedCalls(world), node.id);
  await t.rejects(
    simulated(world, resize(calls, { path: LEAF, size: 8 * 200 * SECTOR_SIZE })),
    /unsupported: BAT: there is no room for new metadata/,
  );
  t.same(world.files.contents(LEAF), before);
});

t.test('a file does not grow beyond what the disk can need', async (t) => {
  t.same(await growths(10, 10), [11]);
  const all = await growths(100, 100);
  const places = all.reduce((sum, growth) => sum + growth, 0);
  t.ok(places >= 100 && places <= 103, `${places} places`);
});

t.test('a file grows ahead only for blocks that have neither a place nor space', async (t) => {
  // The first growth makes space for 64 blocks beside the one that needs it.
  t.same(await growths(65, 65), [65]);
  const places: number[] = [];
  t.same(await growths(66, 66, places), [65, 2]);
  t.same(places, [1, 34]);
});

/** The leaf as a block device of this many free sectors between its metadata and the footer, which have anything in them. */
async function deviceWith(world: FileWorld, free: number): Promise<VhdDisk> {
  const image = world.files.contents(LEAF);
  const end = image.length - SECTOR_SIZE;
  const room = Buffer.alloc(free * SECTOR_SIZE, 0xff);
  world.files.put(LEAF, Buffer.concat([image.subarray(0, end), room, image.subarray(end)]));
  return await openDevice(world);
}

function openDevice(world: FileWorld): Promise<VhdDisk> {
  const node = world.files.system.lookup(LEAF);
  if (typeof node === 'number') throw new Error('there is no leaf');
  return openSimulated(world, LEAF, { readOnly: false }, withDevice(simulatedCalls(world), node.id));
}

t.test('a block device takes as many blocks as it has room for, and keeps its footer', async (t) => {
  // Metadata of six sectors: the first block is one sector after it, and then each one eight after the one before.
  for (const [free, fits] of [
    [2, 0],
    [3, 1],
    [10, 1],
    [11, 2],
    [12, 2],
  ] as const) {
    const world = worldWith([{ sectors: 64, blockSectors: 1 }]);
    const footer = world.files.contents(LEAF).slice(-SECTOR_SIZE);
    const disk = await deviceWith(world, free);
    const { length } = world.files.contents(LEAF);
    const results: number[] = [];
    for (let block = 0; block < 3; block++)
      results.push(await write(world, disk, block, tagged(1, block + 1)));
    t.same(
      results,
      [0, 1, 2].map((block) => (block < fits ? 0 : -errno.ENOSPC)),
      `${free} free sectors`,
    );
    t.same(
      await tags(world, disk, 0, 4),
      [0, 1, 2, 3].map((block) => (block < fits ? block + 1 : 0)),
    );
    await simulated(world, disk.close());
    const bytes = world.files.contents(LEAF);
    t.equal(bytes.length, length);
    t.same(bytes.slice(-SECTOR_SIZE), footer);
    const again = await openDevice(world);
    t.same(
      await tags(world, again, 0, 4),
      [0, 1, 2, 3].map((block) => (block < fits ? block + 1 : 0)),
    );
  }
});

t.test('closing a block device puts the footer that it lacked into its last sector', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const image = world.files.contents(LEAF);
  const footer = image.slice(-SECTOR_SIZE);
  image.fill(0, image.length - SECTOR_SIZE);
  world.files.put(LEAF, image);
  const disk = await deviceWith(world, 100);
  await write(world, disk, 5, tagged(1, 7));
  const { length } = world.files.contents(LEAF);
  await simulated(world, disk.close());
  const bytes = world.files.contents(LEAF);
  t.equal(bytes.length, length);
  t.same(bytes.slice(-SECTOR_SIZE), footer);
  t.same(await tags(world, await openDevice(world), 4, 3), [0, 7, 0]);
});

t.test('sectors of a new block that were not written read as zeroes on a device too', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await deviceWith(world, 100);
  await write(world, disk, 5, tagged(1, 7));
  t.same(await tags(world, disk, 4, 3), [0, 7, 0]);
  await simulated(world, disk.close());
  t.same(await tags(world, await open(world, LEAF, true), 0, 16), [
    ...Array<number>(5).fill(0),
    7,
    ...Array<number>(10).fill(0),
  ]);
});

t.test('a block whose bitmap cannot be zeroed has no place, and the next one has another', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await deviceWith(world, 100);
  world.files.failCalls({ calls: ['write'], error: errno.EIO });
  t.equal(await write(world, disk, 5, tagged(1, 7)), -errno.EIO);
  t.equal(await write(world, disk, 20, tagged(1, 8)), 0);
  t.equal(await write(world, disk, 5, tagged(1, 9)), 0);
  await simulated(world, disk.close());
  const again = await open(world, LEAF, true);
  t.same(
    [await tags(world, again, 4, 3), await tags(world, again, 19, 3)],
    [
      [0, 9, 0],
      [0, 8, 0],
    ],
  );
});
