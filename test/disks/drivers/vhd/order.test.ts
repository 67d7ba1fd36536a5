// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import {
  EVERYTHING_SURVIVES,
  FileRecorder,
  NOTHING_SURVIVES,
  Random,
  type Survival,
} from '../../../../src/testing/index.js';
import { FileWorld } from '../../../testing/files/fixture.js';
import { chainFiles, type NewLink } from './new-chain.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged, withDevice } from './sim-disk.js';
import { readState, stateCalls, stateOutcome } from './state-files.js';

const LEAF = '/d/leaf.vhd';

/** A world with a chain of empty images; the last one is the leaf. */
function worldWith(links: readonly Omit<NewLink, 'name'>[], seed = 1): FileWorld {
  const world = new FileWorld({ seed, traceLines: 0 });
  const named = links.map((link, index) => ({
    ...link,
    name: index === links.length - 1 ? 'leaf.vhd' : `parent${index}.vhd`,
  }));
  for (const [name, bytes] of chainFiles(named, new Random(seed))) world.files.put(`/d/${name}`, bytes);
  return world;
}

const open = (world: FileWorld, path = LEAF, readOnly = false): Promise<VhdDisk> =>
  openSimulated(world, path, { readOnly });

function write(world: FileWorld, disk: VhdDisk, sector: number, buffer: Uint8Array): Promise<number> {
  const range = { sector, sectors: buffer.length / SECTOR_SIZE, buffer };
  return simulatedResult(world, (done) => disk.write({ ...range, complete: done }, done));
}

const flush = (world: FileWorld, disk: VhdDisk): Promise<number> =>
  simulatedResult(world, (done) => disk.flush(done));

/** The tag of each sector, or the errno of reading. */
async function tags(
  world: FileWorld,
  disk: VhdDisk,
  sector: number,
  sectors: number,
): Promise<readonly number[]> {
  const buffer = Buffer.alloc(sectors * SECTOR_SIZE, 0xee);
  const range = { sector, sectors, buffer };
  const result = await simulatedResult(world, (done) => disk.read({ ...range, complete: done }, done));
  if (result < 0) return [result];
  return Array.from({ length: sectors }, (_, at) => buffer.readUInt32LE(at * SECTOR_SIZE));
}

/** Truncations and extensions are lost, what was written is there. */
const ONLY_WRITES: Survival = {
  remains: (change) => (change.kind === 'write' ? [change] : []),
  keepsEntries: () => true,
};

t.test('a sector that a guest wrote is never taken for the footer', async (t) => {
  // Metadata of eight sectors, so that the last block of the first growth ends where the space for blocks does; there are three.
  const sectors = 8 * 300;
  const world = worldWith([{ sectors, blockSectors: 8 }]);
  // With early answers what was written is not yet durable, so that its survival can be chosen.
  const disk = await openSimulated(world, LEAF, { readOnly: false, answersEarly: true });
  const { length } = world.files.contents(LEAF);
  const forged = new Footer(world.files.contents(LEAF).slice(length - SECTOR_SIZE)).with({
    currentSize: 512,
  });
  const forgedBlock = Buffer.concat(Array.from({ length: 8 }, () => forged.bytes));
  for (let block = 0; block < 140; block++) {
    t.equal(await write(world, disk, block * 8, forgedBlock), 0);
    for (const survival of [EVERYTHING_SURVIVES, NOTHING_SURVIVES, ONLY_WRITES]) {
      const lost = world.files.system.copy();
      lost.losePower(survival);
      t.equal(stateOutcome(VhdDisk.open(stateCalls(lost), LEAF, { readOnly: true })).sectors, sectors);
    }
  }
});

t.test('bits and entries are never ahead of data and bitmaps', async (t) => {
  for (const way of ['known block', 'new blocks', 'new blocks of a device'] as const) {
    for (let delay = 0; delay < 0.01; delay += 0.000_5) {
      const wrong = await twoWrites(delay, way);
      if (wrong !== undefined) {
        t.fail(wrong);
        return;
      }
    }
  }
  t.pass();
});

/**
 * A write into a block over a parent, and after some time one into the same block and one into another: at any moment each
 * sector is the parent's or what was written.
 */
async function twoWrites(delay: number, way: string): Promise<string | undefined> {
  const link = { sectors: 64, blockSectors: 16 };
  const world = worldWith([link, link], 1 + Math.round(delay * 1e5));
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 0, tagged(64, 7));
  await simulated(world, parent.close());
  const isDevice = way.endsWith('device');
  if (isDevice) {
    const image = world.files.contents(LEAF);
    const end = image.length - SECTOR_SIZE;
    const room = Buffer.alloc(100 * SECTOR_SIZE, 0xff);
    world.files.put(LEAF, Buffer.concat([image.subarray(0, end), room, image.subarray(end)]));
  }
  const calls = simulatedCalls(world);
  const node = world.files.system.lookup(LEAF);
  const used = isDevice && typeof node !== 'number' ? withDevice(calls, node.id) : calls;
  const disk = await openSimulated(world, LEAF, { readOnly: false }, used);
  if (way === 'known block') await write(world, disk, 0, tagged(1, 8));
  world.files.system.syncAll();
  world.files.shape({ callSeconds: 0.003, syncSeconds: 0.006 });
  const recorder = new FileRecorder(world.files.system);
  const begin = (sector: number, sectors: number): Promise<number> =>
    new Promise((done) => {
      disk.write({ sector, sectors, buffer: tagged(sectors, 8), complete: done }, done);
    });
  const all = [begin(2, 1)];
  await world.world.run(delay);
  all.push(begin(9, 2), begin(20, 2));
  await world.world.complete(Promise.all(all));
  recorder.stop();
  for (const { operations, survival, systems } of recorder.prefixes(new Random(1), 4)) {
    const [system] = systems;
    if (!system || survival !== 'drawn') continue;
    const found = readState(system, LEAF);
    for (let sector = 0; sector < 64; sector++) {
      const tag = found[sector * SECTOR_SIZE];
      if (tag !== 7 && tag !== 8) {
        return `${way}, delay ${delay}, ${operations} operations: sector ${sector} is ${tag}`;
      }
    }
  }
  return undefined;
}

/** A leaf over a parent that has its first sixteen sectors, and calls and syncs that do not take the same time. */
async function leafOverSixteen(parents = 1): Promise<FileWorld> {
  const link = { sectors: 64, blockSectors: 16 };
  const world = worldWith(Array.from({ length: parents + 1 }, () => link));
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
  /** How often the file was synced while a sector was written. */
  readonly syncsOf: (sector: number) => Promise<number>;
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
  const syncsOf = async (sector: number): Promise<number> => {
    const before = count;
    t.equal(await write(world, disk, sector, tagged(1, 1)), 0);
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

t.test('what a failed write left under clear bits does not come back with the next one', async (t) => {
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

t.test('a file whose end could not be cut off is cut before it is used', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const image = world.files.contents(LEAF);
  const end = image.length - SECTOR_SIZE;
  // What a crash left is where the first block will be.
  const leftovers = Buffer.alloc(40 * SECTOR_SIZE, 0xff);
  world.files.put(LEAF, Buffer.concat([image.subarray(0, end), leftovers]));
  const disk = await open(world);
  world.files.failCalls({ calls: ['ftruncate'], error: errno.EIO });
  t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
  t.equal(await write(world, disk, 0, tagged(1, 2)), 0);
  t.same(await tags(world, disk, 0, 3), [2, 0, 0]);
  await simulated(world, disk.close());
  t.same(await tags(world, await open(world, LEAF, true), 0, 3), [2, 0, 0]);
});

t.test('a file that may not become much longer grows by what is needed', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 1 }]);
  const disk = await open(world);
  // The first cuts the file, the second would have it grow by all blocks.
  const fault = world.files.failCalls({ calls: ['ftruncate'], nth: 2, error: errno.EFBIG });
  t.equal(await write(world, disk, 9, tagged(1, 1)), 0);
  t.equal(fault.failed, 1);
});

t.test('a failed sync of new space ends all writing', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await open(world);
  world.files.failCalls({ calls: ['fdatasync', 'fsync'], error: errno.EIO });
  t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
  t.equal(await write(world, disk, 0, tagged(1, 1)), -errno.EIO);
  t.equal(await flush(world, disk), -errno.EIO);
});

t.test('a disk that is closed while its file grows is closed after that', async (t) => {
  // More blocks than the file grows by at once.
  const world = worldWith([{ sectors: 200, blockSectors: 1 }]);
  const disk = await open(world);
  // So that the sync of the new space is still under way.
  world.files.shape({ callSeconds: 0.001, syncSeconds: 1 });
  await write(world, disk, 0, tagged(1, 1));
  const { length } = world.files.contents(LEAF);
  for (let sector = 1; sector < 40; sector++) await write(world, disk, sector, tagged(1, 1));
  t.ok(world.files.contents(LEAF).length > length, 'space is made in time');
  await simulated(world, disk.close());
  await world.world.run(5);
  const again = await open(world, LEAF, true);
  const [leaf] = again.chain;
  t.ok(leaf?.kind === 'vhd' && leaf.image.endFooter, 'the footer is at the end');
});

t.test('a write whose bitmap cannot be written fails, and the next one of its sectors is kept', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await open(world);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  // The data of the second write goes well, its bitmap does not.
  const fault = world.files.failCalls({ calls: ['write'], nth: 2, error: errno.ENOSPC });
  t.equal(await write(world, disk, 3, tagged(1, 2)), -errno.ENOSPC);
  t.equal(fault.failed, 1);
  t.equal(await write(world, disk, 3, tagged(1, 3)), 0);
  t.equal(await flush(world, disk), 0);
  world.files.losePower(NOTHING_SURVIVES);
  t.same(await tags(world, await open(world, LEAF, true), 0, 4), [1, 0, 0, 3]);
});

t.test(
  'a write whose BAT entry or bitmap cannot be written fails, and its block can be written later',
  async (t) => {
    for (const nth of [2, 3]) {
      const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
      const disk = await open(world);
      world.files.failCalls({ calls: ['write'], nth, error: errno.EIO });
      t.equal(await write(world, disk, 5, tagged(2, 1)), -errno.EIO);
      t.same(await tags(world, disk, 4, 4), [0, 0, 0, 0], 'reads see what is in the file');
      t.equal(await write(world, disk, 6, tagged(1, 2)), 0);
      await simulated(world, disk.close());
      t.same(await tags(world, await open(world, LEAF, true), 4, 4), [0, 0, 2, 0]);
    }
  },
);

t.test('after a failed sync nothing is written and no flush succeeds', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await open(world);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  const fault = world.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
  t.equal(await flush(world, disk), -errno.EIO);
  t.equal(fault.failed, 1);
  t.equal(await flush(world, disk), -errno.EIO, 'though the next sync would succeed');
  t.equal(await write(world, disk, 0, tagged(1, 2)), -errno.EIO, 'an overwrite');
  t.equal(await write(world, disk, 1, tagged(1, 2)), -errno.EIO, 'a new sector');
  await t.rejects(simulated(world, disk.close()), /leaf.vhd: cannot sync/);
  t.same(world.files.descriptors(), []);
});

t.test('a commit whose sync fails sets no bit', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const links = [
      { sectors: 64, blockSectors: 16 },
      { sectors: 64, blockSectors: 16 },
    ];
    const world = worldWith(links, seed);
    const parent = await open(world, '/d/parent0.vhd');
    t.equal(await write(world, parent, 0, tagged(16, 7)), 0);
    await simulated(world, parent.close());
    world.files.system.syncAll();
    const disk = await open(world);
    world.files.failCalls({ calls: ['fdatasync'], error: errno.EIO });
    t.equal(await write(world, disk, 4, tagged(1, 8)), -errno.EIO);
    world.files.losePower();
    const [found = -1] = await tags(world, await open(world, LEAF, true), 4, 1);
    t.ok(found === 7 || found === 8, `the parent's sector, or the one that was written: ${found}`);
  }
});

t.test('the disk of an image ends where the image does, whatever its parent has there', async (t) => {
  const world = worldWith([
    { sectors: 60, blockSectors: 8 },
    { sectors: 20, blockSectors: 8 },
    { sectors: 40, blockSectors: 8 },
  ]);
  const parent = await open(world, '/d/parent0.vhd');
  await write(world, parent, 10, tagged(40, 5));
  await simulated(world, parent.close());
  const found = await tags(world, await open(world, LEAF, true), 18, 4);
  t.same(found, [5, 5, 0, 0]);
});

t.test('places keep data on 4 KiB boundaries, and none is used twice', async (t) => {
  const world = worldWith([{ sectors: 4096 * 4, blockSectors: 4096 }]);
  const disk = await open(world);
  for (const sector of [4096 * 3, 0, 4096]) await write(world, disk, sector, tagged(1, 1));
  const [leaf] = disk.chain;
  const bat = leaf?.kind === 'vhd' ? [...(leaf.image.blocks?.bat ?? [])] : [];
  const places = bat.filter((place) => place !== 0xffff_ffff).toSorted((a, b) => a - b);
  t.same(
    places.map((place) => (place + 1) % 8),
    [0, 0, 0],
  );
  t.same(
    places.slice(1).map((place, index) => place - (places[index] ?? 0)),
    [4104, 4104],
  );
  await simulated(world, disk.close());
});

t.test('an image that was only read, or flushed, is not written to', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const before = world.files.contents(LEAF);
  const disk = await open(world);
  t.equal(await flush(world, disk), 0);
  const fault = world.files.failCalls({
    calls: ['write', 'ftruncate'],
    times: Number.POSITIVE_INFINITY,
    error: errno.EIO,
  });
  await simulated(world, disk.close());
  t.equal(fault.failed, 0);
  t.same(world.files.contents(LEAF), before);
});
