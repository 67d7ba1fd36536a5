// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import {
  EVERYTHING_SURVIVES,
  FileRecorder,
  NOTHING_SURVIVES,
  Random,
  type Survival,
} from '../../../../src/testing/index.js';
import { flush, forgedFooters, LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged, withDevice } from './sim-disk.js';
import { readState, stateCalls, stateOutcome } from './state-files.js';

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
  const forgedBlock = forgedFooters(world, 8);
  for (let block = 0; block < 140; block++) {
    t.equal(await write(world, disk, block * 8, forgedBlock), 0);
    for (const survival of [EVERYTHING_SURVIVES, NOTHING_SURVIVES, ONLY_WRITES]) {
      const lost = world.files.system.copy();
      lost.losePower(survival);
      t.equal(stateOutcome(VhdDisk.open(stateCalls(lost), LEAF, { readOnly: true })).sectors, sectors);
    }
  }
});

t.test(
  'nor is one when an image is opened again and grows, after it was closed or left by a kill',
  async (t) => {
    const sectors = 8 * 300;
    for (const isKilled of [false, true]) {
      let world = worldWith([{ sectors, blockSectors: 8 }]);
      const forgedBlock = forgedFooters(world, 8);
      if (isKilled) {
        // A first kill left a block without an entry, and the zeroes that follow it.
        const metadata = world.files.contents(LEAF).slice(0, -SECTOR_SIZE);
        world.files.put(LEAF, Buffer.concat([metadata, forgedBlock, Buffer.alloc(32 * SECTOR_SIZE)]));
      }
      for (let block = 0; block < 4; block++) {
        const recorder = new FileRecorder(world.files.system);
        const disk = await open(world);
        t.equal(await write(world, disk, block * 8, forgedBlock), 0);
        if (!isKilled) await simulated(world, disk.close());
        recorder.stop();
        for (const { operations, survival, systems } of recorder.prefixes(new Random(1), 8))
          for (const system of systems) {
            const found = stateOutcome(VhdDisk.open(stateCalls(system), LEAF, { readOnly: true }));
            if (found.sectors !== sectors)
              t.fail(`block ${block}, after ${operations} operations, ${survival}: ${found.sectors} sectors`);
          }
        if (!isKilled) continue;
        const left = world.files.contents(LEAF).slice();
        world = worldWith([{ sectors, blockSectors: 8 }]);
        world.files.put(LEAF, left);
        world.files.system.syncAll();
      }
    }
  },
);

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

t.test('zeroes hide what a failed write may have left', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = worldWith([{ sectors: 64, blockSectors: 16 }], seed);
    const disk = await open(world);
    await write(world, disk, 0, tagged(1, 1));
    // The bitmap may be in the file all the same.
    world.files.failCalls({ calls: ['write'], nth: 2, error: errno.EIO });
    t.equal(await write(world, disk, 3, tagged(1, 2)), -errno.EIO);
    const range = { sector: 3, sectors: 1, noHole: false, complete: () => {} };
    t.equal(await simulatedResult(world, (done) => disk.writeZeroes(range, done)), 0);
    t.equal(await flush(world, disk), 0);
    world.files.losePower(NOTHING_SURVIVES);
    t.same(await tags(world, await open(world, LEAF, true), 0, 4), [1, 0, 0, 0], `seed ${seed}`);
  }
});

t.test('once a bitmap is written that failed before, zeroes rely on its clear bits again', async (t) => {
  const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
  const disk = await open(world);
  const zero = (): Promise<number> => {
    const range = { sector: 5, sectors: 1, noHole: false, complete: () => {} };
    return simulatedResult(world, (done) => disk.writeZeroes(range, done));
  };
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  world.files.failCalls({ calls: ['write'], nth: 2, error: errno.ENOSPC });
  t.equal(await write(world, disk, 3, tagged(1, 2)), -errno.ENOSPC);
  t.equal(await write(world, disk, 3, tagged(1, 3)), 0);
  const left = world.files.contents(LEAF).slice();
  t.equal(await zero(), 0);
  t.same(world.files.contents(LEAF), left, 'what is clear is zeroes already');
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
  'when what was answered early cannot be completed in the file, no flush succeeds any more',
  async (t) => {
    const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
    const before = await open(world);
    t.equal(await write(world, before, 0, tagged(1, 1)), 0);
    await simulated(world, before.close());
    const disk = await openSimulated(world, LEAF, { readOnly: false, answersEarly: true });
    world.files.failCalls({ calls: ['write'], nth: 2, error: errno.ENOSPC });
    t.equal(await write(world, disk, 3, tagged(1, 2)), 0);
    await world.world.run(1);
    t.equal(await flush(world, disk), -errno.EIO);
    t.equal(await write(world, disk, 3, tagged(1, 3)), -errno.EIO);
  },
);

t.test(
  'a write whose BAT entry or bitmap cannot be written fails, and its block can be written later',
  async (t) => {
    // The first writes are those of the footer's place and of the data.
    for (const nth of [3, 4]) {
      const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
      const disk = await open(world);
      const fault = world.files.failCalls({ calls: ['write'], nth, error: errno.EIO });
      t.equal(await write(world, disk, 5, tagged(2, 1)), -errno.EIO);
      t.equal(fault.failed, 1);
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
  const left = world.files.contents(LEAF).slice();
  t.equal(await write(world, disk, 0, tagged(1, 2)), -errno.EIO, 'an overwrite');
  t.equal(await write(world, disk, 1, tagged(1, 2)), -errno.EIO, 'a new sector');
  t.equal(await write(world, disk, 20, tagged(1, 2)), -errno.EIO, 'a new block');
  const range = { sector: 0, sectors: 1, complete: () => {} };
  for (const noHole of [false, true])
    t.equal(await simulatedResult(world, (done) => disk.writeZeroes({ ...range, noHole }, done)), -errno.EIO);
  t.equal(await simulatedResult(world, (done) => disk.discard(range, done)), -errno.EIO);
  t.same(world.files.contents(LEAF), left);
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
    // The first sync is that of new space.
    const fault = world.files.failCalls({ calls: ['fdatasync'], nth: 2, error: errno.EIO });
    t.equal(await write(world, disk, 4, tagged(1, 8)), -errno.EIO);
    t.equal(fault.failed, 1);
    world.files.losePower();
    const [found = -1] = await tags(world, await open(world, LEAF, true), 4, 1);
    t.ok(found === 7 || found === 8, `the parent's sector, or the one that was written: ${found}`);
  }
});

t.test('a disk ends at its image’s size, whatever its parent has there', async (t) => {
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

t.test('places keep data on 4 KiB boundaries, without overlap', async (t) => {
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

t.test('reading and flushing write nothing to an image', async (t) => {
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

t.test('an image that is only read is opened for reading alone, and not locked', async (t) => {
  for (const readOnly of [true, false]) {
    const world = worldWith([{ sectors: 64, blockSectors: 8 }]);
    const calls = simulatedCalls(world);
    const asked: string[] = [];
    const { lock, files } = calls;
    const openFile = files.open.bind(files);
    files.open = (path, flags, done, mode) => {
      asked.push(`open ${flags & 3}`);
      openFile(path, flags, done, mode);
    };
    const locked = (...call: Parameters<typeof lock>): void => {
      asked.push('lock');
      lock(...call);
    };
    const disk = await openSimulated(world, LEAF, { readOnly }, { ...calls, lock: locked });
    t.same(asked, readOnly ? ['open 0'] : ['open 2', 'lock']);
    await simulated(world, disk.close());
  }
});

t.test('with early answers 512 blocks at most are ahead of the file', async (t) => {
  const blocks = 520;
  const world = worldWith([{ sectors: 2 * blocks + 2, blockSectors: 2 }]);
  const first = await open(world);
  for (let block = 0; block <= blocks; block++) await write(world, first, 2 * block, tagged(1, 1));
  await simulated(world, first.close());
  const calls = simulatedCalls(world);
  const disk = await openSimulated(world, LEAF, { readOnly: false, answersEarly: true }, calls);
  // Those of which nothing could be written are not ahead of it.
  world.files.failCalls({ calls: ['write'], times: blocks, error: errno.ENOSPC });
  for (let block = 0; block < blocks; block++)
    if ((await write(world, disk, 2 * block + 1, tagged(1, 3))) !== -errno.ENOSPC) t.fail(`block ${block}`);
  const held: (() => void)[] = [];
  const fdatasync = calls.files.fdatasync.bind(calls.files);
  calls.files.fdatasync = (fd, done) => held.push(() => fdatasync(fd, done));
  let answered = 0;
  const writeTo = async (block: number): Promise<void> => {
    const range = { sector: 2 * block + 1, sectors: 1, buffer: tagged(1, 2), complete: () => {} };
    disk.write(range, (result) => (answered += result === 0 ? 1 : 0));
    await world.world.run(0.1);
  };
  for (let block = 0; block < blocks; block++) await writeTo(block);
  t.equal(answered, 512);
  calls.files.fdatasync = fdatasync;
  for (const sync of held) sync();
  t.equal(await flush(world, disk), 0);
  t.equal(answered, blocks);
  calls.files.fdatasync = () => {};
  await writeTo(blocks);
  t.equal(answered, blocks + 1, 'those that the file has count no more');
});

t.test(
  'an image with more than 1024 blocks of which it is not known what the file has is given up',
  async (t) => {
    const blocks = 1030;
    const world = worldWith([{ sectors: 2 * blocks, blockSectors: 2 }]);
    const disk = await open(world);
    for (let block = 0; block < blocks; block++) await write(world, disk, 2 * block, tagged(1, 1));
    const fail = async (block: number): Promise<number> => {
      world.files.failCalls({ calls: ['write'], nth: 2, error: errno.EIO });
      return await write(world, disk, 2 * block + 1, tagged(1, 2));
    };
    for (let block = 0; block < 1024; block++) await fail(block);
    for (let time = 0; time < 5; time++) await fail(3);
    t.equal(await flush(world, disk), 0);
    // Blocks that are written are known again.
    for (const block of [5, 6]) {
      t.equal(await write(world, disk, 2 * block + 1, tagged(1, 3)), 0);
      await fail(1024 + block - 5);
    }
    t.equal(await flush(world, disk), 0);
    t.equal(await fail(1026), -errno.EIO);
    t.equal(await flush(world, disk), -errno.EIO);
    t.equal(await write(world, disk, 0, tagged(1, 4)), -errno.EIO);
  },
);

t.test(
  'zeroes allocate nothing in an image without a parent, but for those that must be allocated',
  async (t) => {
    const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
    const disk = await open(world);
    const zero = (sector: number, noHole: boolean): Promise<number> => {
      const range = { sector, sectors: 1, noHole, complete: () => {} };
      return simulatedResult(world, (done) => disk.writeZeroes(range, done));
    };
    const allocated = (): number =>
      disk.chain[0].image.blocks?.bat.filter((place) => place !== 0xffff_ffff).length ?? 0;
    t.equal(await zero(3, false), 0);
    t.equal(allocated(), 0);
    t.equal(await zero(20, true), 0);
    t.equal(allocated(), 1);
    await simulated(world, disk.close());
  },
);

t.test(
  'closing an image syncs what was changed of its blocks, and puts back the footer that it lacked',
  async (t) => {
    const world = worldWith([{ sectors: 64, blockSectors: 16 }]);
    const first = await open(world);
    await write(world, first, 0, tagged(16, 1));
    await simulated(world, first.close());
    const closed = async (
      change?: (disk: VhdDisk, done: (result: number) => void) => void,
    ): Promise<number> => {
      const calls = simulatedCalls(world);
      const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
      if (change) t.equal(await simulatedResult(world, (done) => change(disk, done)), 0);
      let syncs = 0;
      const fsync = calls.files.fsync.bind(calls.files);
      calls.files.fsync = (fd, done) => {
        syncs++;
        fsync(fd, done);
      };
      await simulated(world, disk.close());
      return syncs;
    };
    const range = { sector: 3, sectors: 1, complete: () => {} };
    t.equal(await closed(), 0, 'nothing was changed');
    t.equal(await closed((disk, done) => disk.write({ ...range, buffer: tagged(1, 2) }, done)), 1);
    t.equal(await closed((disk, done) => disk.writeZeroes({ ...range, noHole: false }, done)), 1);
    t.equal(await closed((disk, done) => disk.discard(range, done)), 1);
    const image = world.files.contents(LEAF).slice();
    world.files.put(LEAF, image.subarray(0, -SECTOR_SIZE));
    t.equal(await closed(), 1);
    t.same(world.files.contents(LEAF), image);
  },
);
