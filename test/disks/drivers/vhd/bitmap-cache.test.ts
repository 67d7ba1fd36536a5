// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BitmapCache, MAX_CACHED_BITMAPS } from '../../../../src/disks/drivers/vhd/bitmap-cache.js';
import type { Done } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';

/** A cache over reads that the test answers. */
function cached() {
  const reads: { position: number; length: number; fill: (byte: number) => void; done: Done }[] = [];
  const files = {
    read: (fd: number, buffer: Uint8Array, position: number, done: Done): void => {
      t.equal(fd, 9);
      reads.push({ position, length: buffer.length, fill: (byte) => buffer.fill(byte), done });
    },
  };
  return { cache: new BitmapCache(files, 9, 2), reads };
}

t.test('a bitmap is read once for all who wait for it', async (t) => {
  const { cache, reads } = cached();
  const results: number[] = [];
  for (const block of [5, 5, 6]) cache.load(block, block * 100, (result) => results.push(result));
  t.same(
    reads.map(({ position, length }) => [position, length]),
    [
      [500 * 512, 1024],
      [600 * 512, 1024],
    ],
  );
  t.equal(cache.get(5), undefined);
  reads[0]?.fill(7);
  reads[0]?.done(1024);
  t.same(results, [0, 0]);
  t.same(cache.get(5), new Uint8Array(1024).fill(7));
  t.equal(cache.get(6), undefined);
});

t.test('a failed read fails all who wait, and the next one reads again', async (t) => {
  const { cache, reads } = cached();
  const results: number[] = [];
  for (let count = 0; count < 2; count++) cache.load(5, 100, (result) => results.push(result));
  reads[0]?.done(-errno.EIO);
  t.same(results, [-errno.EIO, -errno.EIO]);
  t.equal(cache.get(5), undefined);
  cache.load(5, 100, (result) => results.push(result));
  t.equal(reads.length, 2);
  reads[1]?.done(1024);
  t.equal(results.at(-1), 0);
  t.equal(cache.get(5)?.length, 1024);
  cache.load(6, 100, (result) => results.push(result));
  reads[2]?.done(0);
  t.equal(results.at(-1), -errno.EIO, 'a file that ends before has no bitmap');
});

t.test('the bitmaps that were used last are kept', async (t) => {
  t.equal(MAX_CACHED_BITMAPS, 1024);
  const { cache } = cached();
  for (let block = 0; block < 1024; block++) cache.set(block, Uint8Array.of(block & 255));
  t.same(cache.get(0), Uint8Array.of(0));
  cache.set(1024, Uint8Array.of(1));
  t.equal(cache.get(1), undefined, 'the one that was not used for longest is gone');
  t.same(
    [cache.get(0), cache.get(2), cache.get(1024)],
    [Uint8Array.of(0), Uint8Array.of(2), Uint8Array.of(1)],
  );
  cache.delete(2);
  t.equal(cache.get(2), undefined);
  cache.set(2000, Uint8Array.of(1));
  t.same(cache.get(3), Uint8Array.of(3), 'what was taken out makes room');
});
