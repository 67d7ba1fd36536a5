// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { runSteps } from '../../../../src/disks/drivers/vhd/steps.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { FileRecorder, Random } from '../../../../src/testing/index.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { flush, forgedFooters, LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged } from './sim-disk.js';
import { readState, stateCalls, stateOutcome } from './state-files.js';

/** A leaf over a parent that has its first sixteen sectors, and calls and syncs that do not take the same time. */
async function leafOverSixteen(parents: number, seed = 1): Promise<FileWorld> {
  const link = { sectors: 64, blockSectors: 16 };
  const world = worldWith(
    Array.from({ length: parents + 1 }, () => link),
    seed,
  );
  if (parents > 0) {
    const parent = await open(world, '/d/parent0.vhd');
    await write(world, parent, 0, tagged(16, 7));
    await simulated(world, parent.close());
  }
  world.files.system.syncAll();
  return world;
}

interface CountedDisk {
  readonly disk: VhdDisk;
  /** How often the file was synced while sectors were written. */
  readonly syncsOf: (sector: number, sectors?: number) => Promise<number>;
}

async function openCounted(world: FileWorld): Promise<CountedDisk> {
  const calls = simulatedCalls(world);
  const { files } = calls;
  let count = 0;
  for (const name of ['fdatasync', 'fsync'] as const) {
    const sync = files[name].bind(files);
    files[name] = (fd, done) => {
      count++;
      sync(fd, done);
    };
  }
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  const syncsOf = async (sector: number, sectors = 1): Promise<number> => {
    const before = count;
    t.equal(await write(world, disk, sector, tagged(sectors, 1)), 0);
    return count - before;
  };
  return { disk, syncsOf };
}

t.test(
  'new sectors wait for a sync where something else was, or may have been, and only there',
  async (t) => {
    const root = await leafOverSixteen(0);
    const first = await openCounted(root);
    t.equal(await first.syncsOf(0), 1, 'the file grows');
    t.equal(await first.syncsOf(1), 0, 'zeroes in a block of now');
    t.equal(await first.syncsOf(20), 0, 'another block in the new space');
    await simulated(root, first.disk.close());
    const second = await openCounted(root);
    t.equal(await second.syncsOf(2), 1, 'a block of earlier, with anything under its clear bits');
    const child = await openCounted(await leafOverSixteen(2));
    t.equal(await child.syncsOf(20), 1, 'the file grows');
    t.equal(await child.syncsOf(21), 0, 'no ancestor has the sector');
    t.equal(await child.syncsOf(2), 1, 'an ancestor has it, or may have it');
  },
);

t.test('zeroes replace what was written over earlier zeroes of a new block', async (t) => {
  const world = worldWith([
    { sectors: 64, blockSectors: 16 },
    { sectors: 64, blockSectors: 16 },
  ]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 10, tagged(6, 7));
  await simulated(world, parent.close());
  world.files.system.syncAll();
  const disk = await open(world);
  const zero = (sector: number, sectors: number, done: (result: number) => void): void =>
    disk.writeZeroes({ sector, sectors, noHole: false, complete: () => {} }, done);
  let isSynced = false;
  const first = await simulatedResult(world, (done) => {
    zero(5, 5, done);
    // Over the parent's sector it waits for a sync: until then the block is a new one, of which the file has the first bits.
    zero(14, 1, () => (isSynced = true));
  });
  t.equal(first, 0);
  t.equal(await write(world, disk, 8, tagged(1, 11)), 0);
  t.notOk(isSynced);
  t.equal(await simulatedResult(world, (done) => zero(6, 5, done)), 0);
  t.same(await tags(world, disk, 5, 10), [0, 0, 0, 0, 0, 0, 7, 7, 7, 0]);
});

t.test('sectors of which an ancestor holds only the last wait for a sync', async (t) => {
  const link = { sectors: 64, blockSectors: 16 };
  const world = worldWith([link, link]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 5, tagged(1, 7));
  await simulated(world, parent.close());
  const { disk, syncsOf } = await openCounted(world);
  t.equal(await syncsOf(20), 1, 'the file grows');
  // So that it is known which sectors the parent has.
  t.same(await tags(world, disk, 4, 3), [0, 7, 0]);
  t.equal(await syncsOf(1), 0, 'a sector of the same block that it does not have');
  t.equal(await syncsOf(3, 3), 1);
  t.equal(await syncsOf(28), 0, 'one of the next block, which has as many sectors before it');
});

t.test('one sector that needs a sync makes all committed with it wait for one', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const world = await leafOverSixteen(2, seed);
    const disk = await open(world);
    await write(world, disk, 20, tagged(1, 8));
    await flush(world, disk);
    world.files.shape({ callSeconds: 0.0001, syncSeconds: 0.05 });
    const recorder = new FileRecorder(world.files.system);
    const begin = (sector: number): Promise<number> => {
      const range = { sector, sectors: 1, buffer: tagged(1, 8), complete: () => {} };
      return new Promise((done) => disk.write(range, done));
    };
    const all = [begin(1)];
    // While the first one is synced, one over the parent and then one over nothing are to be committed next.
    await world.world.run(0.001);
    for (const sector of [3, 21]) {
      all.push(begin(sector));
      await world.world.run(0.001);
    }
    await world.world.complete(Promise.all(all));
    recorder.stop();
    for (const { systems } of recorder.prefixes(new Random(seed), 4)) {
      for (const system of systems) {
        const found = readState(system, LEAF);
        for (const sector of [1, 3]) {
          const tag = found[sector * SECTOR_SIZE];
          t.ok(tag === 7 || tag === 8, `the parent's sector, or what was written: ${tag}`);
        }
      }
    }
  }
});

t.test('data left by a failed write under clear bits does not reappear with the next write', async (t) => {
  // The data of the second write is there and its bitmap is not, or part of its data is.
  for (const nth of [1, 2]) {
    for (let seed = 1; seed <= 20; seed++) {
      const world = worldWith([{ sectors: 64, blockSectors: 16 }], seed);
      const disk = await open(world);
      await write(world, disk, 0, tagged(1, 1));
      world.files.failCalls({ calls: ['write'], nth, error: errno.EIO });
      t.equal(await write(world, disk, 3, tagged(1, 2)), -errno.EIO);
      // It brings the block's bitmap into the file again, so that it is known what this has.
      await write(world, disk, 5, tagged(1, 1));
      world.files.system.syncAll();
      t.same(await tags(world, disk, 3, 1), [0]);
      const recorder = new FileRecorder(world.files.system);
      await write(world, disk, 3, tagged(1, 3));
      recorder.stop();
      for (const { systems } of recorder.prefixes(new Random(seed), 4)) {
        for (const system of systems) {
          const found = readState(system, LEAF)[3 * SECTOR_SIZE];
          t.ok(found === 0 || found === 3, `zeroes, or what was written last: ${found}`);
        }
      }
    }
  }
});

t.test('a file whose truncation failed is truncated before it is used', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const image = world.files.contents(LEAF);
  const end = image.length - SECTOR_SIZE;
  // What a crash left is where the first block will be.
  const leftovers = Buffer.alloc(40 * SECTOR_SIZE, 0xff);
  world.files.put(LEAF, Buffer.concat([image.subarray(0, end), leftovers]));
  const disk = await open(world);
  world.files.failCalls({ calls: ['ftruncate'], error: errno.EIO });
  t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
  const recorder = new FileRecorder(world.files.system);
  t.equal(await write(world, disk, 0, tagged(1, 2)), 0);
  recorder.stop();
  for (const { systems } of recorder.prefixes(new Random(1), 4)) {
    for (const system of systems) {
      const found = readState(system, LEAF);
      t.ok(found[0] === 0 || found[0] === 2, `zeroes, or what was written: ${found[0]}`);
      t.same(new Set(found.subarray(SECTOR_SIZE)), new Set([0]));
    }
  }
  t.same(await tags(world, disk, 0, 3), [2, 0, 0]);
  await simulated(world, disk.close());
  t.same(await tags(world, await open(world, LEAF, true), 0, 3), [2, 0, 0]);
});

t.test('what a crash left after the last block is not taken for zeroes', async (t) => {
  const world = await leafOverSixteen(1);
  const image = world.files.contents(LEAF).slice(0, -SECTOR_SIZE);
  world.files.put(LEAF, Buffer.concat([image, Buffer.alloc(100 * SECTOR_SIZE, 0xff)]));
  const disk = await open(world);
  // Of a new block that is a hole nothing is written but its bits.
  const zeroes = { sector: 2, sectors: 3, noHole: false, complete: () => {} };
  t.equal(await simulatedResult(world, (done) => disk.writeZeroes(zeroes, done)), 0);
  t.same(await tags(world, disk, 1, 5), [7, 0, 0, 0, 7]);
});

t.test('a footer is not dropped before the copy at the head is the same', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  world.files.put(LEAF, world.files.contents(LEAF).fill(0, 0, SECTOR_SIZE));
  world.files.system.syncAll();
  const recorder = new FileRecorder(world.files.system);
  t.equal(await write(world, await open(world), 0, tagged(1, 1)), 0);
  recorder.stop();
  for (const { operations, systems } of recorder.prefixes(new Random(1), 30))
    for (const system of systems)
      t.equal(readState(system, LEAF).length, 64 * SECTOR_SIZE, `after ${operations} operations`);
});

t.test('a file near its size limit grows only as needed', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 1 }]);
  const disk = await open(world);
  // It would have the file grow by all blocks.
  const fault = world.files.failCalls({ calls: ['ftruncate'], error: errno.EFBIG });
  t.equal(await write(world, disk, 9, tagged(1, 1)), 0);
  t.equal(fault.failed, 1);
  // From the metadata on, which have six sectors, for the block and one more; and the sector of the footer.
  t.equal(world.files.contents(LEAF).length, (6 + 2 * 8 + 1) * SECTOR_SIZE);
});

t.test('space that cannot be made in time is asked for again with the next block', async (t) => {
  const world = worldWith([{ sectors: 200, blockSectors: 1 }]);
  const calls = simulatedCalls(world);
  const asked: number[] = [];
  const ftruncate = calls.files.ftruncate.bind(calls.files);
  calls.files.ftruncate = (fd, length, done) => {
    asked.push(length);
    // The second one is for blocks to come.
    if (asked.length === 2) done(-errno.ENOSPC);
    else ftruncate(fd, length, done);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  let sector = 0;
  while (asked.length < 2) t.equal(await write(world, disk, sector++, tagged(1, 1)), 0);
  t.equal(asked.length, 2);
  t.equal(await write(world, disk, sector, tagged(1, 1)), 0);
  t.same(asked.slice(2), asked.slice(1, 2));
});

t.test('a failed sync of new space, or before leftovers are cut off, ends all writing', async (t) => {
  for (const leftovers of [0, 40]) {
    const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
    const image = world.files.contents(LEAF);
    world.files.put(LEAF, Buffer.concat([image, Buffer.alloc(leftovers * SECTOR_SIZE)]));
    const disk = await open(world);
    world.files.failCalls({ calls: ['fdatasync', 'fsync'], error: errno.EIO });
    t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
    t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
    t.equal(await flush(world, disk), -errno.EIO);
  }
});

t.test('closing a disk waits for the growth of its file', async (t) => {
  // More blocks than the file grows by at once.
  const world = worldWith([{ sectors: 200, blockSectors: 1 }]);
  const calls = simulatedCalls(world);
  const { files } = calls;
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  await write(world, disk, 0, tagged(1, 1));
  const held: (() => void)[] = [];
  const ftruncate = files.ftruncate.bind(files);
  files.ftruncate = (fd, length, done) => {
    held.push(() => ftruncate(fd, length, done));
  };
  for (let sector = 1; sector < 40; sector++) await write(world, disk, sector, tagged(1, 1));
  t.equal(held.length, 1, 'space is made in time');
  files.ftruncate = ftruncate;
  let isClosed = false;
  runSteps(disk.close(), () => (isClosed = true));
  await world.world.run(5);
  t.notOk(isClosed);
  for (const grow of held) grow();
  await world.world.run(5);
  t.ok(isClosed);
  const [leaf] = (await open(world, LEAF, true)).chain;
  t.ok(leaf?.kind === 'vhd' && leaf.image.endFooter, 'the footer is at the end');
});

t.test('a sector of the last possible block is not taken for the footer', async (t) => {
  // Metadata of eight sectors, so that this block ends where the space for blocks does.
  const sectors = 8 * 300;
  const world = worldWith([{ sectors, blockSectors: 8 }]);
  const block = forgedFooters(world, 8);
  const disk = await open(world);
  // The first has the file grow; then the file system is full.
  world.files.failCalls({
    calls: ['ftruncate'],
    nth: 2,
    times: Number.POSITIVE_INFINITY,
    error: errno.ENOSPC,
  });
  let written = 0;
  let result = 0;
  for (; result === 0; written++) {
    result = await write(world, disk, written * 8, block);
    const killed = VhdDisk.open(stateCalls(world.files.system), LEAF, { readOnly: true });
    t.equal(stateOutcome(killed).sectors, sectors);
  }
  t.equal(result, -errno.ENOSPC);
  const [leaf] = disk.chain;
  const places = leaf?.kind === 'vhd' ? [...(leaf.image.blocks?.bat ?? [])].slice(0, written - 1) : [];
  t.equal((Math.max(...places) + 1 + 8 + 1) * SECTOR_SIZE, world.files.contents(LEAF).length, 'it is full');
});

t.test('a block right after the metadata is new space too', async (t) => {
  // Of 200 blocks the metadata have seven sectors: the first block is where they end.
  const world = worldWith([{ sectors: 16 * 200, blockSectors: 16 }]);
  const { disk, syncsOf } = await openCounted(world);
  t.equal(await syncsOf(0), 1, 'the file grows');
  t.equal(disk.chain[0].image.blocks?.bat[0], 7);
  t.equal(await syncsOf(1), 0);
});

t.test('a sector of a block that the file has changes its bitmap, and nothing of the BAT', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const first = await open(world);
  await write(world, first, 0, tagged(1, 1));
  await simulated(world, first.close());
  const calls = simulatedCalls(world);
  const written: string[] = [];
  const writeFile = calls.files.write.bind(calls.files);
  calls.files.write = (fd, bytes, position, done) => {
    written.push(`${position / SECTOR_SIZE}+${bytes.length / SECTOR_SIZE}`);
    writeFile(fd, bytes, position, done);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  await write(world, disk, 3, tagged(2, 1));
  t.same(written.splice(0), ['11+2', '7+1'], 'the data, and then the bitmap');
  await write(world, disk, 3, tagged(2, 2));
  t.same(written.splice(0), ['11+2'], 'what has its bits takes no more than its data');
  await write(world, disk, 16, tagged(1, 1));
  t.same(written.length, 4, 'a new block has an entry too, and the footer makes room for it');
  for (const range of ['3+1', '24+1']) t.ok(written.includes(range), range);
});
