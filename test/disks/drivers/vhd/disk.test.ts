// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/errno.js';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';
import { LOG_ERR } from '../../../../src/server/logger.js';
import type { FileWorld } from '../../../testing/files/fixture.js';
import { LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, simulatedResult, tagged } from './sim-disk.js';

const link = { sectors: 64, blockSectors: 16 };

/** Opens the leaf for writing. Lines of its log go to `lines`. */
async function openLogged(world: FileWorld) {
  const lines: string[] = [];
  const logger = { log: (priority: number, line: string) => void lines.push(`${priority} ${line}`) };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, { ...simulatedCalls(world), logger });
  return { disk, lines };
}

t.test('a change that fails is logged with its range', async (t) => {
  const world = worldWith([link, link]);
  const { disk, lines } = await openLogged(world);
  t.equal(await write(world, disk, 3, tagged(2, 1)), 0);
  t.same(lines, []);
  world.files.failCalls({ calls: ['write'], error: errno.ENOSPC });
  t.equal(await write(world, disk, 3, tagged(2, 1)), -errno.ENOSPC);
  t.same(lines.splice(0), [`${LOG_ERR} vhd: ${LEAF}: cannot write 2 sectors at 3: ENOSPC`]);
  world.files.failCalls({ calls: ['write'], error: errno.EIO });
  const zeroes = { sector: 3, sectors: 1, noHole: true, complete: () => {} };
  t.equal(await simulatedResult(world, (done) => disk.writeZeroes(zeroes, done)), -errno.EIO);
  t.same(lines, [`${LOG_ERR} vhd: ${LEAF}: cannot write 1 sector at 3: EIO`]);
});

t.test('changes of the same sectors come one after the other', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = worldWith([link], seed);
    world.files.shape({ callSeconds: 0.003, syncSeconds: 0.006 });
    const { disk } = await openLogged(world);
    const begin = (sector: number, tag: number): Promise<number> =>
      new Promise((done) => {
        disk.write({ sector, sectors: 4, buffer: tagged(4, tag), complete: done }, done);
      });
    const all = [begin(2, 1), begin(4, 2), begin(3, 3)];
    t.same(await world.world.complete(Promise.all(all)), [0, 0, 0]);
    t.same(await tags(world, disk, 2, 6), [1, 3, 3, 3, 3, 2], `seed ${seed}`);
  }
});

t.test('what is settled is not settled again as it is closed', async (t) => {
  const world = worldWith([link]);
  const calls = simulatedCalls(world);
  const asked: string[] = [];
  for (const name of ['write', 'fsync'] as const) {
    const call = calls.files[name].bind(calls.files) as (...parts: unknown[]) => void;
    Object.assign(calls.files, {
      [name]: (...parts: unknown[]) => {
        asked.push(name);
        call(...parts);
      },
    });
  }
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  asked.length = 0;
  await simulated(world, disk.settle());
  t.same(asked, ['write', 'fsync'], 'the footer');
  await simulated(world, disk.close());
  t.same(asked, ['write', 'fsync']);
  t.same(world.files.descriptors(), []);
});

t.test('extents are joined across blocks, wherever those are in the file', async (t) => {
  const world = worldWith([{ sectors: 80, blockSectors: 16 }]);
  const disk = await open(world);
  for (const sector of [32, 16]) t.equal(await write(world, disk, sector, tagged(16, 1)), 0);
  const told: unknown[] = [];
  disk.extents({ sector: 8, sectors: 64 }, (...outcome) => told.push(outcome));
  t.same(told, [
    [
      0,
      [
        { sector: 8, sectors: 8, isAllocated: false },
        { sector: 16, sectors: 32, isAllocated: true },
        { sector: 48, sectors: 24, isAllocated: false },
      ],
    ],
  ]);
  await simulated(world, disk.close());
});

t.test('a discard makes holes of what an image has of the range', async (t) => {
  const world = worldWith([{ sectors: 2 * 4096, blockSectors: 4096 }]);
  const calls = simulatedCalls(world);
  const holes: unknown[] = [];
  calls.files.punchHole = (_fd, offset, length, done) => {
    holes.push([offset / 512, length / 512]);
    done(0);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  t.equal(await write(world, disk, 100, tagged(2048, 1)), 0);
  const discard = (sectors: number): Promise<number> =>
    simulatedResult(world, (done) => disk.discard({ sector: 0, sectors, complete: done }, done));
  t.equal(await discard(100 + 2047), 0);
  t.same(holes, [], 'which is worth one from a MiB on');
  t.equal(await discard(8192), 0);
  const place = disk.chain[0].image.blocks?.bat[0] ?? 0;
  t.same(holes, [[place + 1 + 100, 2048]]);
  await simulated(world, disk.close());
});

t.test('zeroes of a VHD are a hole unless they must stay allocated', async (t) => {
  const world = worldWith([{ sectors: 4096, blockSectors: 4096 }]);
  const calls = simulatedCalls(world);
  const holes: number[] = [];
  calls.files.punchHole = (_fd, _offset, length, done) => {
    holes.push(length / 512);
    done(0);
  };
  const disk = await openSimulated(world, LEAF, { readOnly: false }, calls);
  t.equal(await write(world, disk, 0, tagged(2048, 1)), 0);
  const zero = (noHole: boolean): Promise<number> => {
    const range = { sector: 0, sectors: 2048, noHole, complete: () => {} };
    return simulatedResult(world, (done) => disk.writeZeroes(range, done));
  };
  t.equal(await zero(true), 0);
  t.same(holes, []);
  t.equal(await zero(false), 0);
  t.same(holes, [2048]);
  await simulated(world, disk.close());
});

t.test('before the footer at the end is dropped the copy at the head becomes the same', async (t) => {
  for (const change of [undefined, { hidden: true }]) {
    const world = worldWith([link]);
    const image = world.files.contents(LEAF).slice();
    const footer = new Footer(image.slice(-512));
    image.set(change ? footer.with(change).bytes : new Uint8Array(512));
    world.files.put(LEAF, image);
    const disk = await open(world);
    t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
    t.same(world.files.contents(LEAF).slice(0, 512), footer.bytes);
    await simulated(world, disk.close());
  }
});
