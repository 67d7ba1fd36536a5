// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type CommitParts, Commits } from '../../../../src/disks/drivers/vhd/commits.js';
import type { VhdDisk } from '../../../../src/disks/drivers/vhd/disk.js';
import { MAX_CACHED_BITMAPS } from '../../../../src/disks/drivers/vhd/bitmap-cache.js';
import type { DirtyBlock } from '../../../../src/disks/drivers/vhd/layer.js';
import { SECTOR_SIZE } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';
import { closesAfterHeld, flush, LEAF, open, tags, worldWith, write } from './order-world.js';
import { openSimulated, simulated, simulatedCalls, tagged } from './sim-disk.js';

const BLOCK_SECTORS = 8;
const OTHERS = BLOCK_SECTORS * MAX_CACHED_BITMAPS;

/** A disk some writes to whose file wait: single sectors that begin with a byte that `isHeld` picks. */
async function diskWithHeldWrites(isHeld: (byte: number) => boolean, answersEarly = false) {
  const world = worldWith([{ sectors: BLOCK_SECTORS + OTHERS, blockSectors: BLOCK_SECTORS }]);
  const calls = simulatedCalls(world);
  const writeFile = calls.files.write.bind(calls.files);
  const held: ((error?: number) => void)[] = [];
  const heldWrite: typeof writeFile = (fd, buffer, position, done) => {
    const go = (error?: number): void =>
      error === undefined ? writeFile(fd, buffer, position, done) : done(error);
    if (buffer.length === SECTOR_SIZE && isHeld(buffer[0] as number)) held.push(go);
    else go();
  };
  Object.assign(calls.files, { write: heldWrite });
  return { world, held, disk: await openSimulated(world, LEAF, { readOnly: false, answersEarly }, calls) };
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

/** The bitmap of a block with its first sector, which is what these tests write first. */
const isBitmap = (byte: number): boolean => byte >= 128;

t.test('a block stays in its place when a write of it fails while it is committed', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites(isBitmap);
  const first = begin(disk, 0, 1);
  await world.world.run(1);
  t.equal(held.length, 1);
  world.files.failCalls({ calls: ['write'], error: errno.EIO });
  t.equal(await write(world, disk, 3, tagged(1, 9)), -errno.EIO);
  const second = begin(disk, 5, 2);
  await world.world.run(1);
  held[0]?.();
  await world.world.run(1);
  held[1]?.();
  t.same(await world.world.complete(Promise.all([first, second])), [0, 0]);
  t.same(await tags(world, disk, 0, BLOCK_SECTORS), [1, 0, 0, 0, 0, 2, 0, 0]);
  await simulated(world, disk.close());
  t.same(await tags(world, await open(world, LEAF, true), 0, BLOCK_SECTORS), [1, 0, 0, 0, 0, 2, 0, 0]);
});

t.test('what waits for the next commit of a block fails once with the one before it', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites((byte) => isBitmap(byte) || byte === 2);
  const first = begin(disk, 0, 1);
  await world.world.run(1);
  // The last sector of the block, and the first one of the next block.
  let second: number | undefined;
  const both = { sector: BLOCK_SECTORS - 1, sectors: 2, buffer: tagged(2, 2), complete: () => {} };
  disk.write(both, (result) => (second = result));
  await world.world.run(1);
  const [commit, here, there] = held;
  here?.();
  await world.world.run(1);
  commit?.(-errno.EIO);
  t.equal(await world.world.complete(first), -errno.EIO);
  await world.world.run(1);
  t.equal(second, undefined, 'a part of it is under way');
  there?.();
  await world.world.run(1);
  // The bitmap, and the BAT, in which the first block has no entry.
  for (const go of held.slice(3)) go();
  await world.world.run(1);
  t.equal(second, -errno.EIO);
  t.same(await tags(world, disk, 0, 8), Array(8).fill(0));
  t.equal(await flush(world, disk), 0, 'nothing that was answered is lost');
  t.equal(await write(world, disk, 3, tagged(1, 3)), 0);
  t.same(await tags(world, disk, 0, 4), [0, 0, 0, 3]);
});

t.test('a flush fails with the commit that it waits for, also if nothing of that is left', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites(isBitmap, true);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  await world.world.run(1);
  t.equal(await write(world, disk, 3, tagged(1, 2)), 0);
  const flushed = Promise.all([1, 2].map(() => new Promise<number>((done) => disk.flush(done))));
  t.equal(held.length, 1);
  held[0]?.(-errno.EIO);
  t.same(await world.world.complete(flushed), [-errno.EIO, -errno.EIO]);
  t.equal(await write(world, disk, 5, tagged(1, 3)), -errno.EIO);
});

t.test('a flush beside a write that fails is not about that one', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites(isBitmap);
  const first = begin(disk, 0, 1);
  await world.world.run(1);
  t.equal(await flush(world, disk), 0);
  held[0]?.(-errno.EIO);
  t.equal(await world.world.complete(first), -errno.EIO);
  t.equal(await flush(world, disk), 0);
});

t.test('a flush waits until the file has what was answered before it', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites(isBitmap, true);
  let flushed: number | undefined;
  const flushing = (): void => disk.flush((result) => (flushed = result));
  const goOn = async (commit: number): Promise<void> => {
    held[commit]?.();
    await world.world.run(1);
  };
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  flushing();
  await world.world.run(1);
  t.equal(flushed, undefined, 'that it is under way is not enough');
  await goOn(0);
  t.equal(flushed, 0);
  t.equal(await write(world, disk, 3, tagged(1, 2)), 0);
  await world.world.run(1);
  t.equal(await write(world, disk, 5, tagged(1, 3)), 0);
  flushed = undefined;
  flushing();
  await goOn(1);
  t.equal(flushed, undefined, 'nor is a commit before the one that has it');
  t.equal(held.length, 3);
  await goOn(2);
  t.equal(flushed, 0);
});

t.test('a block is let go once the file has it, unless a write of it is under way', async (t) => {
  const cached: number[] = [];
  const layer = {
    file: { fd: 7 },
    dirty: new Map<number, DirtyBlock>(),
    bitmaps: { set: (block: number) => cached.push(block) },
  };
  const files = {
    write: (_fd: number, bytes: Uint8Array, _position: number, done: (count: number) => void) =>
      done(bytes.length),
  };
  const commits = new Commits({ files, layer } as unknown as CommitParts);
  const commit = (block: number, users: number): void => {
    const bytes = new Uint8Array(SECTOR_SIZE);
    const states = { needsEntry: false, isZero: false, isUncertain: false };
    const dirty = { block, place: 9, bits: bytes, written: bytes, users, ...states };
    layer.dirty.set(block, dirty);
    commits.add(dirty, false);
  };
  commit(3, 0);
  t.same([[...layer.dirty.keys()], cached], [[], [3]]);
  commit(4, 1);
  t.same([[...layer.dirty.keys()], cached], [[4], [3]]);
});

t.test('a block whose bitmap cannot be written may have anything under its clear bits', async (t) => {
  for (const isAnswered of [false, true]) {
    const log: unknown[] = [];
    const layer = { file: { fd: 7 }, dirty: new Map<number, DirtyBlock>() };
    const files = {
      write: (_fd: number, _bytes: Uint8Array, _position: number, done: (count: number) => void) =>
        done(-errno.ENOSPC),
    };
    const zeroed = { spoil: (block: number) => log.push(`spoil ${block}`) };
    const onLoss = (): unknown => log.push('loss');
    const commits = new Commits({ files, layer, zeroed, onLoss } as unknown as CommitParts);
    const [bits, written] = [Uint8Array.of(0xff), Uint8Array.of(1)];
    const states = { needsEntry: false, isZero: false, isUncertain: false };
    const dirty: DirtyBlock = { block: 3, place: 9, bits, written, users: 0, ...states };
    commits.add(dirty, false, isAnswered ? undefined : (result) => log.push(result));
    t.same(log, isAnswered ? ['loss', 'spoil 3'] : ['spoil 3', -errno.ENOSPC]);
    t.same([dirty.bits, dirty.isUncertain], [written, true]);
  }
});

t.test('an image is closed once the file has all that was answered', async (t) => {
  const { world, held, disk } = await diskWithHeldWrites(isBitmap, true);
  t.equal(await write(world, disk, 0, tagged(1, 1)), 0);
  await closesAfterHeld(t, world, disk, held);
  t.same(await tags(world, await open(world, LEAF, true), 0, 2), [1, 0]);
});
