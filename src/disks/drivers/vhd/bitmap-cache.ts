// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE } from '../../driver.js';
import { readExactly } from '../../../posix/whole-transfer.js';

/** How many bitmaps of an image are kept: those of 2 GiB of disk, 512 KiB of memory (V86). */
export const MAX_CACHED_BITMAPS = 1024;

/** The bitmaps of an image's blocks that were used last. Those who need one that is being read wait for that one read (V45). */
export class BitmapCache {
  readonly #files: Pick<FileCalls, 'read'>;
  readonly #fd: number;
  readonly #bytes: number;
  /** In the order of use. */
  readonly #bitmaps = new Map<number, Uint8Array>();
  readonly #waiting = new Map<number, Done[]>();

  constructor(files: Pick<FileCalls, 'read'>, fd: number, bitmapSectors: number) {
    this.#files = files;
    this.#fd = fd;
    this.#bytes = bitmapSectors * SECTOR_SIZE;
  }

  get(block: number): Uint8Array | undefined {
    const bitmap = this.#bitmaps.get(block);
    if (bitmap && this.#bitmaps.size >= MAX_CACHED_BITMAPS) {
      this.#bitmaps.delete(block);
      this.#bitmaps.set(block, bitmap);
    }
    return bitmap;
  }

  set(block: number, bitmap: Uint8Array): void {
    this.#bitmaps.set(block, bitmap);
    if (this.#bitmaps.size <= MAX_CACHED_BITMAPS) return;
    const [oldest] = this.#bitmaps.keys();
    this.#bitmaps.delete(oldest as number);
  }

  /** Takes a bitmap out, for a caller that keeps it. */
  delete(block: number): void {
    this.#bitmaps.delete(block);
  }

  /** Reads the bitmap at `place`, a file sector, into the cache. A failed read fails all who wait for it, and is forgotten (V46). */
  load(block: number, place: number, done: Done): void {
    const waiting = this.#waiting.get(block);
    if (waiting) {
      waiting.push(done);
      return;
    }
    const waiters = [done];
    this.#waiting.set(block, waiters);
    const bitmap = new Uint8Array(this.#bytes);
    readExactly(this.#files, this.#fd, bitmap, place * SECTOR_SIZE, (result) => {
      this.#waiting.delete(block);
      if (result >= 0) this.set(block, bitmap);
      for (const waiter of waiters) waiter(result);
    });
  }
}
