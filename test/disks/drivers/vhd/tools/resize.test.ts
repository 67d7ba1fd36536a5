// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { resize } from '../../../../../src/disks/drivers/vhd/tools/resize.js';
import { createImage } from '../../../../../src/disks/drivers/vhd/tools/create.js';
import { SECTOR_SIZE } from '../../../../../src/disks/index.js';
import { FileRecorder, Random } from '../../../../../src/testing/index.js';
import { LEAF, open, tags, worldWith, write } from '../order-world.js';
import { simulated, tagged } from '../sim-disk.js';
import { readState } from '../state-files.js';
import { endFooterOf, findings, headerOf, patchFooters, run, setBatmap } from './tool-world.js';

const MIB = 1 << 20;

t.test('a BAT of many sectors is written whole, and the disk keeps its data', async (t) => {
  // More entries than are written at once, of which the last ones point to blocks.
  const before = 20_000;
  const world = worldWith([{ sectors: before, blockSectors: 1 }]);
  const disk = await open(world);
  for (const sector of [0, 16_383, 16_384, before - 1])
    await write(world, disk, sector, tagged(1, sector + 1));
  await simulated(world, disk.close());
  const moves: number[] = [];
  const resized = await run(world, (calls) =>
    resize(calls, { path: LEAF, size: 40_000 * SECTOR_SIZE, onBlocksMoved: (blocks) => moves.push(blocks) }),
  );
  t.match(resized, { before: before * SECTOR_SIZE, after: 40_000 * SECTOR_SIZE });
  t.same(
    moves,
    Array.from({ length: resized.movedBlocks }, (_, index) => index + 1),
  );
  t.equal(headerOf(world, LEAF).entries, 40_000);
  t.same(await findings(world, LEAF, { bitmaps: true }), []);
  const again = await open(world);
  for (const sector of [0, 16_383, 16_384, before - 1])
    t.same(await tags(world, again, sector, 2), [sector + 1, sector === 16_383 ? 16_385 : 0]);
  await write(world, again, 39_999, tagged(1, 5));
  await simulated(world, again.close());
  t.same(await tags(world, await open(world, LEAF, true), 39_998, 2), [0, 5]);
});

t.test('as long as the BAT has entries for it only the footers change', async (t) => {
  const world = worldWith([{ sectors: 100, blockSectors: 8 }]);
  const { length } = world.files.contents(LEAF);
  // Of 13 blocks.
  const fast = await run(world, (calls) => resize(calls, { path: LEAF, size: 104 * SECTOR_SIZE }));
  t.same(fast, { before: 100 * SECTOR_SIZE, after: 104 * SECTOR_SIZE, movedBlocks: 0 });
  t.equal(world.files.contents(LEAF).length, length);
  t.match(headerOf(world, LEAF), { entries: 13, tableOffset: 1536 });
  await run(world, (calls) => resize(calls, { path: LEAF, size: 105 * SECTOR_SIZE }));
  t.equal(headerOf(world, LEAF).entries, 14);
  t.ok(world.files.contents(LEAF).length > length);
  t.equal(endFooterOf(world, LEAF).sectors, 105);
  t.same(await findings(world, LEAF), []);
});

t.test('what blocks have after the end of the disk does not become part of it', async (t) => {
  // Disks that once were larger: one ends in a block, the other between two.
  for (const sectors of [20, 16]) {
    const world = worldWith([{ sectors: 40, blockSectors: 8 }]);
    const disk = await open(world);
    await write(world, disk, 8, tagged(24, 7));
    await simulated(world, disk.close());
    setBatmap(world, LEAF, Uint8Array.of(0b0111_0000));
    patchFooters(world, LEAF, (fields) => fields.setBigUint64(48, BigInt(sectors * SECTOR_SIZE)));
    world.files.system.syncAll();
    const recorder = new FileRecorder(world.files.system);
    await run(world, (calls) => resize(calls, { path: LEAF, size: 40 * SECTOR_SIZE }));
    recorder.stop();
    t.same(await tags(world, await open(world, LEAF, true), 0, 40), [
      ...Array(8).fill(0),
      ...Array(sectors - 8).fill(7),
      ...Array(40 - sectors).fill(0),
    ]);
    t.same(await findings(world, LEAF, { bitmaps: true }), [], 'nor does the batmap vouch for it');
    for (const { systems } of recorder.prefixes(new Random(1), 3)) {
      for (const system of systems) {
        const found = readState(system, LEAF);
        const after = found.subarray(sectors * SECTOR_SIZE);
        t.ok(
          after.every((byte) => byte === 0),
          'whenever the power is lost',
        );
      }
    }
  }
});

t.test('an image whose blocks end with the disk keeps its batmap', async (t) => {
  const world = worldWith([{ sectors: 12, blockSectors: 8 }]);
  const disk = await open(world);
  await write(world, disk, 0, tagged(12, 7));
  await simulated(world, disk.close());
  setBatmap(world, LEAF, Uint8Array.of(0b1000_0000));
  const batmap = world.files.contents(LEAF).slice(2048, 3072);
  await run(world, (calls) => resize(calls, { path: LEAF, size: 16 * SECTOR_SIZE }));
  t.same(world.files.contents(LEAF).slice(2048, 3072), batmap);
});

t.test('room that is there before the first block is used, and nothing is moved', async (t) => {
  const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
  const disk = await open(world);
  await write(world, disk, 0, tagged(8, 7));
  await simulated(world, disk.close());
  // The BAT of one sector, its batmap of two, and a header of two: between this one and the block is no room for them.
  const tight = await run(world, (calls) => resize(calls, { path: LEAF, size: 80 * SECTOR_SIZE }));
  t.equal(tight.movedBlocks, 1);
  // What the block has left is enough for all that comes next.
  const roomy = await run(world, (calls) => resize(calls, { path: LEAF, size: 160 * SECTOR_SIZE }));
  t.equal(roomy.movedBlocks, 0);
  t.same(await findings(world, LEAF), []);
  t.same(await tags(world, await open(world, LEAF, true), 0, 9), [...Array(8).fill(7), 0]);
});

t.test(
  'a guest’s sector that looks like a footer is never taken for one while its block is moved',
  async (t) => {
    const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
    const parts = { uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 };
    await run(world, (calls) =>
      createImage(calls, { path: '/d/guest.vhd', size: MIB, isFixed: true, ...parts }),
    );
    const data = Buffer.concat([tagged(7, 7), world.files.contents('/d/guest.vhd').slice(-SECTOR_SIZE)]);
    const disk = await open(world);
    await write(world, disk, 0, data);
    await simulated(world, disk.close());
    world.files.system.syncAll();
    const recorder = new FileRecorder(world.files.system);
    const { movedBlocks } = await run(world, (calls) =>
      resize(calls, { path: LEAF, size: 80 * SECTOR_SIZE }),
    );
    recorder.stop();
    t.equal(movedBlocks, 1);
    for (const { systems } of recorder.prefixes(new Random(1), 3))
      for (const system of systems)
        t.ok(data.equals(readState(system, LEAF).subarray(0, data.length)), 'whenever the power is lost');
  },
);

t.test('the new image has a batmap only if it had to have one', async (t) => {
  const world = worldWith([{ sectors: 8, blockSectors: 8 }]);
  const disk = await open(world);
  await write(world, disk, 0, tagged(8, 7));
  await simulated(world, disk.close());
  // A creator without extensions of its own.
  patchFooters(world, LEAF, (fields) => fields.setUint32(28, 0x7769_6e20));
  await run(world, (calls) => resize(calls, { path: LEAF, size: 80 * SECTOR_SIZE }));
  t.same(await findings(world, LEAF), []);
  t.same(await tags(world, await open(world, LEAF, true), 0, 9), [...Array<number>(8).fill(7), 0]);
});

t.test('a size that cannot be had is refused, and the same size changes nothing', async (t) => {
  const world = worldWith([{ sectors: 100, blockSectors: 8 }]);
  const before = world.files.contents(LEAF).slice();
  const to = (size: number) => run(world, (calls) => resize(calls, { path: LEAF, size }));
  await t.rejects(to(99 * SECTOR_SIZE), /unsupported: current size: 51200 bytes cannot become 50688/);
  await t.rejects(to(100 * SECTOR_SIZE + 1), /size 51201: expected whole sectors/);
  t.same(await to(100 * SECTOR_SIZE), { before: 51_200, after: 51_200, movedBlocks: 0 });
  t.same(world.files.contents(LEAF), before);
  const parts = { uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 };
  await run(world, (calls) =>
    createImage(calls, { path: '/d/fixed.vhd', size: MIB, isFixed: true, ...parts }),
  );
  const fixed = run(world, (calls) => resize(calls, { path: '/d/fixed.vhd', size: 2 * MIB }));
  await t.rejects(fixed, /unsupported: current size: a fixed image keeps its size/);
  t.same(world.files.descriptors(), []);
});
