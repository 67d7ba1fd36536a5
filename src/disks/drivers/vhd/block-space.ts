// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE } from '../../driver.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { alignedPlace, countAllocated, endOfBlocks, entriesFor, MAX_FILE_SECTORS } from './bat.js';
import type { Footer } from './footer.js';
import type { BlockLayer } from './layer.js';

/**
 * A file grows by as many blocks as it has, but by these at least and at most: 128 MiB and 2 GiB with the usual blocks. The
 * new space is a hole. Each growth is a sync, so that fewer of them come the more there is to sync.
 */
export const MIN_GROWTH_BLOCKS = 64;
export const MAX_GROWTH_BLOCKS = 1024;

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
  /** Makes everything durable that was done to the file before, its length too, or ends all writing. */
  readonly sync: (done: Done) => void;
}

/**
 * Hands out places for new blocks. Every place has a bitmap of zeroes in the file, on stable storage as of the next sync:
 * so an entry of the BAT that is written after that never points to garbage (V63, A).
 *
 * - A regular file is cut one sector after its last block, which drops the footer and leftovers of a crash, and is then
 *   extended by several blocks at a time, which read as zeroes, and synced (V63g). Before that the copy of the footer at the
 *   head is made the current one, since from then on it is the only one (V63h). When half of that space is handed out more
 *   of it is made, so that a stream of new blocks need not wait for it.
 * - The file ends one sector after the space for blocks, and did so on stable storage before anything was written there;
 *   the sector after the last block, that of the footer, becomes zeroes before anything behind it is dropped. So the file's
 *   last sector is never one that a guest wrote, and which might look like a footer.
 * - A block device keeps its footer in its last sector; a place's bitmap is zeroed by writing (V66).
 * - A place is handed out once, whatever the outcome (V55).
 */
export class BlockSpace {
  readonly #parts: SpaceParts;
  /** From here on all is free, in sectors. */
  #next: number;
  /** Up to here the file is zeroes. */
  #end: number;
  #hasDroppedFooter = false;
  #isCut = false;
  #isGrowing = false;
  /** More space is made when less than this is left, in sectors. */
  #least = 0;
  /** How many blocks of the disk have no place; fewer once places are given up. */
  #missing: number;
  #settling: (() => void) | undefined;
  #waiting: ((place: number) => void)[] = [];

  constructor(parts: SpaceParts) {
    this.#parts = parts;
    const { bat, shape, file, sectors } = parts.layer;
    this.#missing = entriesFor(sectors, shape) - countAllocated(bat);
    this.#next = endOfBlocks(bat, shape, parts.metadataEnd);
    this.#end = file.isRegular ? 0 : Math.floor(file.length / SECTOR_SIZE) - 1;
  }

  /** The end of what was handed out, in sectors: the footer's place, also when the BAT of the file knows of less. */
  get next(): number {
    return this.#next;
  }

  /** Whether the footer at the end of the file is gone, or may be. */
  get hasDroppedFooter(): boolean {
    return this.#hasDroppedFooter;
  }

  /** Completes with a block's place, a file sector, or a negative errno: -ENOSPC where there is none. */
  reserve(done: (place: number) => void): void {
    const { shape, file } = this.#parts.layer;
    const place = alignedPlace(this.#next, shape);
    const end = place + shape.bitmapSectors + shape.sectors;
    if (end > MAX_FILE_SECTORS || (!file.isRegular && end > this.#end)) {
      done(-errno.ENOSPC);
    } else if (end <= this.#end) {
      this.#next = end;
      this.#missing--;
      if (file.isRegular) {
        if (this.#end - end < this.#least && this.#lacking > 0 && !this.#isGrowing) this.#grow();
        done(place);
      } else {
        this.#zeroBitmap(place, done);
      }
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
    this.#isGrowing = true;
    const waiting = this.#waiting.length;
    const growth = this.#growth();
    this.#cut((cut) => {
      if (cut < 0) {
        this.#endGrowth(cut);
        return;
      }
      this.#extend(growth, (extended) => {
        // A limit of the file's length may leave room for what is needed now.
        if (extended < 0 && waiting > 0) this.#extend(waiting + 1, (result) => this.#endGrowth(result));
        else this.#endGrowth(extended);
      });
    });
  }

  #extend(blocks: number, done: Done): void {
    const { files, layer, sync } = this.#parts;
    const growth = blocks * this.#spacing;
    const end = Math.min(Math.max(this.#end, this.#next) + growth, MAX_FILE_SECTORS);
    files.ftruncate(layer.file.fd, (end + 1) * SECTOR_SIZE, (extended) => {
      if (extended < 0) {
        done(extended);
        return;
      }
      sync((result) => {
        if (result >= 0) {
          this.#end = end;
          this.#least = growth / 2;
        }
        done(result);
      });
    });
  }

  #endGrowth(result: number): void {
    this.#isGrowing = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    // With nobody waiting it was allocated ahead; the next write that needs it tries again.
    for (const done of waiting) {
      if (result < 0) done(result);
      else this.reserve(done);
    }
    if (!this.#isGrowing) this.#settling?.();
  }

  /** Completes when the file does not grow any more; no place may be asked for from now on. */
  settle(done: Done): void {
    if (this.#isGrowing) this.#settling = () => done(0);
    else done(0);
  }

  /** By how many blocks the file is to grow: no more than the disk can need. */
  #growth(): number {
    const present = Math.floor((this.#next - this.#parts.metadataEnd) / this.#spacing);
    const wanted = Math.min(Math.max(present, MIN_GROWTH_BLOCKS), MAX_GROWTH_BLOCKS, this.#lacking);
    return Math.max(wanted, this.#waiting.length) + 1;
  }

  /** For how many blocks of the disk there is neither a place nor space. */
  get #lacking(): number {
    return this.#missing - Math.floor(Math.max(0, this.#end - this.#next) / this.#spacing);
  }

  /** How far apart blocks lie, in sectors. */
  get #spacing(): number {
    const { shape } = this.#parts.layer;
    return alignedPlace(shape.bitmapSectors + shape.sectors, shape) + shape.bitmapSectors;
  }

  /**
   * Puts zeroes in the footer's place after the last block, and drops what is behind them, once. The last block's last sector,
   * which a guest wrote, never becomes that of the file.
   */
  #cut(done: Done): void {
    const { files, layer, footer, copyIsCurrent, sync } = this.#parts;
    const { fd, length } = layer.file;
    if (this.#isCut) {
      done(0);
      return;
    }
    const end = (this.#next + 1) * SECTOR_SIZE;
    const truncate = (result: number): void => {
      if (result < 0) {
        done(result);
        return;
      }
      files.ftruncate(fd, end, (truncated) => {
        this.#isCut = truncated >= 0;
        done(truncated);
      });
    };
    const cover = (result: number): void => {
      if (result < 0) {
        done(result);
        return;
      }
      this.#hasDroppedFooter = true;
      writeWhole(files, fd, new Uint8Array(SECTOR_SIZE), end - SECTOR_SIZE, (covered) => {
        if (covered < 0) done(covered);
        else if (length > end) sync(truncate);
        else {
          this.#isCut = true;
          done(covered);
        }
      });
    };
    if (copyIsCurrent) cover(0);
    else writeWhole(files, fd, footer.bytes, 0, (result) => (result < 0 ? cover(result) : sync(cover)));
  }
}
