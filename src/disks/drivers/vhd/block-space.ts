// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE } from '../../driver.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { alignedPlace, endOfBlocks, MAX_FILE_SECTORS } from './bat.js';
import type { Footer } from './footer.js';
import type { BlockLayer } from './layer.js';

/** How many blocks a file grows by at a time: 64 MiB with the usual ones. The new space is a hole. */
export const GROWTH_BLOCKS = 32;

/** What growing a file has to know of its metadata. */
export interface SpaceParts {
  readonly files: FileCalls;
  readonly layer: BlockLayer;
  /** In sectors. */
  readonly metadataEnd: number;
  /** The footer that counts, which the copy at the head must be before the end may be overwritten. */
  readonly footer: Footer;
  /** Whether the copy at the head is that footer. */
  readonly copyIsCurrent: boolean;
}

/**
 * Hands out places for new blocks. Every place has a bitmap of zeroes in the file, on stable storage as of the next sync:
 * so an entry of the BAT that is written after that never points to garbage (V63, A).
 *
 * - A regular file is cut behind its last block, which drops the footer and leftovers of a crash, and is then extended by
 *   several blocks at a time, which read as zeroes, and synced (V63g). Before that the copy of the footer at the head is
 *   made the current one, since from then on it is the only one (V63h).
 * - The file ends one sector after the space for blocks, and did so on stable storage before anything was written there:
 *   so its last sector is never one that a guest wrote, and which might look like a footer.
 * - A block device keeps its footer in its last sector; a place's bitmap is zeroed by writing (V66).
 * - A place is handed out once, whatever comes of it (V55).
 */
export class BlockSpace {
  readonly #parts: SpaceParts;
  /** From here on all is free, in sectors. */
  #next: number;
  /** Up to here the file is zeroes. */
  #end: number;
  #isCut = false;
  #isGrowing = false;
  #waiting: ((place: number) => void)[] = [];

  constructor(parts: SpaceParts) {
    this.#parts = parts;
    const { bat, shape, file } = parts.layer;
    this.#next = endOfBlocks(bat, shape, parts.metadataEnd);
    this.#end = file.isRegular ? 0 : Math.floor(file.length / SECTOR_SIZE) - 1;
  }

  /** The end of what was handed out, in sectors: the footer's place, also when the BAT of the file knows of less. */
  get next(): number {
    return this.#next;
  }

  /** Whether the footer at the end of the file is gone. */
  get hasDroppedFooter(): boolean {
    return this.#isCut;
  }

  /** Completes with a block's place, a file sector, or a negative errno: -ENOSPC where there is none. */
  reserve(done: (place: number) => void): void {
    const { shape, file } = this.#parts.layer;
    const place = alignedPlace(this.#next, shape);
    const end = place + shape.bitmapSectors + shape.sectors;
    if (end > MAX_FILE_SECTORS || (!file.isRegular && end > this.#end)) {
      done(-errno.ENOSPC);
    } else if (end <= this.#end && !this.#isGrowing) {
      this.#next = end;
      if (file.isRegular) done(place);
      else this.#zeroBitmap(place, done);
    } else {
      this.#waiting.push(done);
      if (!this.#isGrowing) this.#grow();
    }
  }

  #zeroBitmap(place: number, done: (place: number) => void): void {
    const { files, layer } = this.#parts;
    const zeroes = new Uint8Array(layer.shape.bitmapSectors * SECTOR_SIZE);
    writeWhole(files, layer.file.fd, zeroes, place * SECTOR_SIZE, (result) =>
      done(result < 0 ? result : place),
    );
  }

  #grow(): void {
    const { files, layer } = this.#parts;
    const { shape, file } = layer;
    this.#isGrowing = true;
    const length = alignedPlace(shape.bitmapSectors + shape.sectors, shape) + shape.bitmapSectors;
    const end = Math.min(
      this.#next + length * Math.max(GROWTH_BLOCKS, this.#waiting.length + 1),
      MAX_FILE_SECTORS,
    );
    const grown = (result: number): void => {
      this.#isGrowing = false;
      if (result >= 0) this.#end = end;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const done of waiting) {
        if (result < 0) done(result);
        else this.reserve(done);
      }
    };
    this.#cut((result) => {
      if (result < 0) {
        grown(result);
        return;
      }
      files.ftruncate(file.fd, (end + 1) * SECTOR_SIZE, (extended) =>
        extended < 0 ? grown(extended) : files.fsync(file.fd, grown),
      );
    });
  }

  /** Drops what is behind the last block, once. */
  #cut(done: Done): void {
    const { files, layer, footer, copyIsCurrent } = this.#parts;
    const { fd } = layer.file;
    if (this.#isCut) {
      done(0);
      return;
    }
    const cut = (result: number): void => {
      if (result < 0) {
        done(result);
        return;
      }
      this.#isCut = true;
      files.ftruncate(fd, this.#next * SECTOR_SIZE, done);
    };
    if (copyIsCurrent) cut(0);
    else
      writeWhole(files, fd, footer.bytes, 0, (result) => (result < 0 ? cut(result) : files.fsync(fd, cut)));
  }
}
