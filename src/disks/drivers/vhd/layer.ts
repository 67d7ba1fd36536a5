// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE } from '../../driver.js';
import type { HoleRanges } from '../hole-ranges.js';
import { NOT_ALLOCATED, type BlockShape } from './bat.js';
import { BitmapCache } from './bitmap-cache.js';
import { endOfRun, isSet } from './bits.js';
import type { ImageFile } from './image-file.js';
import type { Blocks } from './load-image.js';

/** What a layer has of a range, from its first sector on. */
export interface Found {
  /** For how many sectors that holds. */
  sectors: number;
  /** Where the data is in the file, in bytes; {@link ABSENT} when the layer below has to be asked. */
  position: number;
  /** The block whose bitmap has to be loaded first; undefined if the result is complete. */
  missingBitmap: number | undefined;
}

/** The layer has nothing of the sectors. */
export const ABSENT = -1;

/** For {@link Layer.find} to fill. */
export function nothingFound(): Found {
  return { sectors: 0, position: ABSENT, missingBitmap: undefined };
}

/** One image of a chain, as reading sees it. */
export interface Layer {
  readonly file: ImageFile;
  readonly sectors: number;
  /** In bytes: what is after it in the file is none of the disk's. */
  readonly dataEnd: number;
  /** Whether the data may end inside of the last sector, the rest of which is zeroes then. */
  readonly endsAnywhere: boolean;
  /** Says of a range that begins inside of the image what it has of it, in `found`. */
  find(sector: number, sectors: number, found: Found): void;
  /** Reads the bitmap that was missing. */
  load(block: number, done: Done): void;
}

/** A fixed image, or the raw file at the root of a chain: sector after sector from the start of the file. */
export class FlatLayer implements Layer {
  readonly file: ImageFile;
  readonly sectors: number;
  readonly dataEnd: number;
  readonly endsAnywhere: boolean;
  /** What the file has no data of, so that it need not be read; nobody writes to it then. */
  holes: HoleRanges | undefined;

  constructor(file: ImageFile, sectors: number, dataEnd: number, endsAnywhere = false) {
    this.file = file;
    this.sectors = sectors;
    this.dataEnd = dataEnd;
    this.endsAnywhere = endsAnywhere;
  }

  find(sector: number, sectors: number, found: Found): void {
    found.missingBitmap = undefined;
    found.sectors = Math.min(sectors, this.sectors - sector);
    found.position = sector * SECTOR_SIZE;
    const [first] = this.holes?.extents({ sector, sectors: found.sectors }) ?? [];
    if (first === undefined) return;
    found.sectors = first.sectors;
    // No image is below this one: what is nowhere is zeroes.
    if (first.zero) found.position = ABSENT;
  }

  load(_block: number, done: Done): void {
    done(0);
  }
}

/** A block whose bitmap or entry in the file is not yet what it is in memory. */
export interface DirtyBlock {
  readonly block: number;
  readonly place: number;
  /** What reads see: every bit whose data was written. */
  bits: Uint8Array;
  /** What the file has. */
  written: Uint8Array;
  /** Whether the BAT in the file does not have it yet. */
  needsEntry: boolean;
  /** Whether its data in the file is still all zeroes. */
  isZero: boolean;
  /** How many writes of its data are under way. */
  users: number;
  /**
   * Whether writing its bitmap or its entry failed: the file may have what was to be written nevertheless. It is rewritten
   * with the next change of the block, and zeroes must not rely on clear bits until then.
   */
  isUncertain: boolean;
}

/** A dynamic or differencing image. */
export class BlockLayer implements Layer {
  readonly file: ImageFile;
  readonly sectors: number;
  readonly dataEnd: number;
  readonly endsAnywhere = false;
  readonly shape: BlockShape;
  /** As it is in the file. */
  readonly bat: Uint32Array;
  /** Blocks that are ahead of the file, by number; empty unless it is being written. */
  readonly dirty = new Map<number, DirtyBlock>();
  readonly bitmaps: BitmapCache;

  constructor(
    files: Pick<FileCalls, 'read'>,
    file: ImageFile,
    sectors: number,
    { bat, shape }: Blocks,
    dataEnd: number,
  ) {
    this.file = file;
    this.sectors = sectors;
    this.bat = bat;
    this.shape = shape;
    this.dataEnd = dataEnd;
    this.bitmaps = new BitmapCache(files, file.fd, shape.bitmapSectors);
  }

  /** The file sector of a block's bitmap, or {@link NOT_ALLOCATED}. */
  placeOf(block: number): number {
    return this.dirty.get(block)?.place ?? (this.bat[block] as number);
  }

  /** A block's bitmap as reads see it, if it is in memory. */
  bitsOf(block: number): Uint8Array | undefined {
    return this.dirty.get(block)?.bits ?? this.bitmaps.get(block);
  }

  /** Where a sector of a block at `place` is in the file, in bytes. */
  position(place: number, sectorInBlock: number): number {
    return (place + this.shape.bitmapSectors + sectorInBlock) * SECTOR_SIZE;
  }

  find(sector: number, sectors: number, found: Found): void {
    found.missingBitmap = undefined;
    found.position = ABSENT;
    const perBlock = this.shape.sectors;
    const block = Math.floor(sector / perBlock);
    const from = sector - block * perBlock;
    const to = Math.min(from + sectors, perBlock, from + this.sectors - sector);
    found.sectors = to - from;
    const place = this.placeOf(block);
    if (place === NOT_ALLOCATED) return;
    const bits = this.bitsOf(block);
    if (!bits) {
      found.missingBitmap = block;
      return;
    }
    found.sectors = endOfRun(bits, from, to) - from;
    if (isSet(bits, from)) found.position = this.position(place, from);
  }

  load(block: number, done: Done): void {
    const place = this.placeOf(block);
    // A bitmap that is not there says nothing of its sectors, not even that the parent has them (V24).
    if ((place + this.shape.bitmapSectors) * SECTOR_SIZE > this.dataEnd) done(-errno.EIO);
    else this.bitmaps.load(block, place, done);
  }
}
