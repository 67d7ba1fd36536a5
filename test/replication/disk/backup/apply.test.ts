// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { applyMap } from '../../../../src/replication/disk/backup/apply.js';
import { RecordPiece } from '../../../../src/replication/disk/backup/record-piece.js';
import { type Piece, SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { spareBuffers } from '../../../../src/replication/disk/spare-buffers.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { memoryPiece } from './memory-piece.js';

const SECTORS = 8192;

/** Begins to write a map to a disk that is full of 0xff; the results are added to `results`. */
function apply(map: SectorMap, disk = new HeldDisk(SECTORS, 0xff)) {
  const results: number[] = [];
  applyMap(disk, map, (result) => results.push(result));
  return { disk, results };
}

/** A map of writes of one sector each that do not touch. */
function apart(count: number): SectorMap {
  const map = new SectorMap();
  for (let index = 0; index < count; index++) map.set(index * 2, index * 2 + 1, memoryPiece(index + 1, 1), 0);
  return map;
}

t.test('a map without extents is on the disk at once', async (t) => {
  const { disk, results } = apply(new SectorMap());
  t.same(results, [0]);
  t.same(disk.calls, []);
});

t.test('adjacent writes become one, and so do adjacent zeroes, in ascending order', async (t) => {
  const map = new SectorMap();
  map.set(3000, 3002, memoryPiece(30, 2), 0);
  map.set(8, 10, memoryPiece(10, 4), 512);
  map.set(10, 11, memoryPiece(20, 1), 0);
  map.set(11, 13, undefined, 0);
  map.set(13, 14, undefined, 0);
  map.set(1, 2, undefined, 0);
  map.set(15, 16, undefined, 0);
  map.set(16, 17, memoryPiece(40, 1), 0);
  const { disk, results } = apply(map);
  t.same(results, [0]);
  t.same(disk.calls, ['zero 1+1', 'write 8+3', 'zero 11+3', 'zero 15+1', 'write 16+1', 'write 3000+2']);
  const content = contentOf(disk.bytes);
  t.same([...content.subarray(7, 18)], [2 ** 32 - 1, 11, 12, 20, 0, 0, 0, 2 ** 32 - 1, 0, 40, 2 ** 32 - 1]);
  t.same([...content.subarray(3000, 3002)], [30, 31]);
});

t.test('a write has 1 MiB at most; zeroes have no limit', async (t) => {
  const map = new SectorMap();
  const piece = memoryPiece(1, 2048);
  map.set(1, 1001, piece, 0);
  map.set(1001, 2049, piece, 0);
  map.set(2049, 2050, piece, 0);
  map.set(2050, SECTORS, undefined, 0);
  const { disk } = apply(map);
  t.same(disk.calls, ['write 1+2048', 'write 2049+1', `zero 2050+${SECTORS - 2050}`]);
});

t.test(
  'four writes are under way at a time, and the next begins as soon as one of them has ended',
  async (t) => {
    const disk = new HeldDisk(SECTORS);
    disk.isHeld = true;
    const { results } = apply(apart(6), disk);
    t.equal(disk.calls.length, 4);
    disk.waiting[2]?.();
    t.same(disk.calls.slice(4), ['write 8+1']);
    disk.waiting[0]?.();
    t.same(disk.calls.slice(5), ['write 10+1']);
    for (const index of [1, 3, 4]) disk.waiting[index]?.();
    t.same(results, []);
    disk.waiting[5]?.();
    t.same(results, [0]);
    t.same([...contentOf(disk.bytes).subarray(0, 12)], [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
  },
);

t.test('the first error ends it once what is under way has ended, and nothing more begins', async (t) => {
  const disk = new HeldDisk(SECTORS);
  disk.isHeld = true;
  const { results } = apply(apart(6), disk);
  disk.waiting[1]?.(-errno.ENOSPC);
  disk.waiting[0]?.(-errno.EIO);
  disk.waiting[2]?.();
  t.same(results, []);
  disk.waiting[3]?.();
  t.same(results, [-errno.ENOSPC]);
  t.equal(disk.calls.length, 4);
});

t.test('a result above 0 is no error', async (t) => {
  const disk = new HeldDisk(SECTORS);
  disk.isHeld = true;
  const { results } = apply(apart(5), disk);
  while (disk.waiting.length > 0) disk.waiting.shift()?.(512);
  t.same(results, [0]);
  t.equal(disk.calls.length, 5);
});

t.test('a piece whose memory is being written is pinned until the write has ended', async (t) => {
  const disk = new HeldDisk(SECTORS);
  const piece = memoryPiece(1, 4);
  const map = new SectorMap();
  map.set(8, 10, piece, 1024);
  map.set(12, 13, piece, 0);
  disk.isHeld = true;
  const { results } = apply(map, disk);
  t.equal(piece.pins, 2);
  disk.waiting.shift()?.();
  t.equal(piece.pins, 1);
  disk.release();
  t.equal(piece.pins, 0);
  t.same(results, [0]);
  t.same([...contentOf(disk.bytes).subarray(7, 14)], [0, 3, 4, 0, 0, 1, 0]);
});

t.test('pieces that are put together for one write are copied, and not pinned', async (t) => {
  const disk = new HeldDisk(SECTORS);
  const pieces = [memoryPiece(1, 1), memoryPiece(2, 1)];
  const map = new SectorMap();
  for (const [at, piece] of pieces.entries()) map.set(at, at + 1, piece, 0);
  disk.isHeld = true;
  apply(map, disk);
  for (const piece of pieces) {
    t.equal(piece.pins, 0);
    piece.bytes?.fill(0xff);
  }
  const { spareBytes } = spareBuffers;
  disk.release();
  t.ok(spareBuffers.spareBytes > spareBytes, 'the memory of the copy is for use again');
  t.same([...contentOf(disk.bytes).subarray(0, 2)], [1, 2]);
});

t.test('of a piece that is not in memory no more is read than is written', async (t) => {
  const reads: string[] = [];
  const stored: Piece = {
    bytes: undefined,
    pins: 0,
    read: (offset, into, done) => {
      reads.push(`${into.length} at ${offset}`);
      into.fill(0xee);
      done(0);
    },
  };
  const map = new SectorMap();
  map.set(8, 10, stored, 1024);
  map.set(10, 13, stored, 4096);
  const { disk } = apply(map, new HeldDisk(SECTORS));
  t.same(reads, ['1024 at 1024', '1536 at 4096']);
  t.same(disk.calls, ['write 8+5']);
  t.ok(disk.bytes.subarray(8 * 512, 13 * 512).every((byte) => byte === 0xee));
});

t.test('what cannot be read again is not written', async (t) => {
  const map = new SectorMap();
  map.set(0, 1, new RecordPiece(undefined), 0);
  map.set(1, 2, new RecordPiece(tagged(1, 1)), 0);
  const { disk, results } = apply(map);
  t.same(results, [-errno.EIO]);
  t.same(disk.calls, []);
});
