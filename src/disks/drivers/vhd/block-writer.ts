// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { type Done, SECTOR_SIZE, type SectorRange } from '../../driver.js';
import { writeWhole } from '../../../posix/whole-transfer.js';
import { NOT_ALLOCATED } from './bat.js';
import { areSet, endOfRun, isSet, setRange } from './bits.js';
import type { BlockSpace } from './block-space.js';
import type { Commits } from './commits.js';
import type { BlockLayer, DirtyBlock } from './layer.js';
import type { ZeroedBlocks } from './zeroed-blocks.js';

/** A part of a change that lies in one block. */
export interface Piece {
  readonly block: number;
  /** Sectors of the block. */
  readonly from: number;
  readonly to: number;
}

/** What writing blocks works with. */
export interface WriterParts {
  readonly files: FileCalls;
  readonly layer: BlockLayer;
  readonly space: BlockSpace;
  readonly commits: Commits;
  readonly zeroed: ZeroedBlocks;
  /** Whether a write is answered when its data is written, before its bits are in the file (V63f). */
  readonly answersEarly: boolean;
}

/** Early answers are held back once this many blocks are ahead of the file. */
const MAX_AHEAD = 512;

/** Changes the blocks of the leaf: one piece a call. Changes of the same sectors must not overlap in time. */
export class BlockWriter {
  readonly #parts: WriterParts;
  /** The callers that wait for a block's place. */
  readonly #reserving = new Map<number, ((result: number) => void)[]>();
  #failure = 0;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** From now on nothing is written any more (V63i). */
  fail(): void {
    this.#failure = -errno.EIO;
  }

  /** Writes data; completes when its bits are in the file, or its data if answers are early. */
  write(piece: Piece, bytes: Uint8Array, done: Done): void {
    this.#withPlace(piece.block, done, (place, bits) =>
      this.#put(piece, place, bits, false, done, (position, put) =>
        writeWhole(this.#parts.files, this.#parts.layer.file.fd, bytes, position, put),
      ),
    );
  }

  /**
   * Makes a piece read as zeroes and sets its bits.
   *
   * @param zero makes a range of the file zeroes
   * @param mayBeHole it is not called for a new block that is a hole in the file
   */
  zero(piece: Piece, zero: (range: SectorRange, done: Done) => void, mayBeHole: boolean, done: Done): void {
    this.#withPlace(piece.block, done, (place, bits) =>
      this.#put(piece, place, bits, mayBeHole, done, (position, put) =>
        zero({ sector: position / SECTOR_SIZE, sectors: piece.to - piece.from }, put),
      ),
    );
  }

  /** Whether the file may have more of a block than is known. */
  isUncertain(block: number): boolean {
    return this.#parts.layer.dirty.get(block)?.isUncertain === true;
  }

  /** Calls `each` for the runs of a piece's sectors that the block has, as ranges of the file; it has none if it is not allocated. */
  eachRun(piece: Piece, each: (range: SectorRange) => void, done: Done): void {
    const { layer } = this.#parts;
    if (this.#failure < 0) {
      done(this.#failure);
      return;
    }
    const place = layer.placeOf(piece.block);
    if (place === NOT_ALLOCATED) {
      done(0);
      return;
    }
    this.#withBits(piece.block, done, (bits) => {
      for (let at = piece.from; at < piece.to;) {
        const end = endOfRun(bits, at, piece.to);
        if (isSet(bits, at)) each({ sector: layer.position(place, at) / SECTOR_SIZE, sectors: end - at });
        at = end;
      }
      done(0);
    });
  }

  #withBits(block: number, done: Done, use: (bits: Uint8Array) => void): void {
    const { layer } = this.#parts;
    const bits = layer.bitsOf(block);
    if (bits) use(bits);
    else layer.load(block, (result) => (result < 0 ? done(result) : this.#withBits(block, done, use)));
  }

  #withPlace(block: number, done: Done, use: (place: number, bits: Uint8Array) => void): void {
    const { layer } = this.#parts;
    if (this.#failure < 0) {
      done(this.#failure);
      return;
    }
    const place = layer.placeOf(block);
    if (place === NOT_ALLOCATED) {
      this.#reserve(block, (result) => (result < 0 ? done(result) : this.#withPlace(block, done, use)));
    } else {
      this.#withBits(block, done, (bits) => use(place, bits));
    }
  }

  #reserve(block: number, done: Done): void {
    const { layer, space } = this.#parts;
    const reserving = this.#reserving.get(block);
    if (reserving) {
      reserving.push(done);
      return;
    }
    const waiting = [done];
    this.#reserving.set(block, waiting);
    space.reserve((place) => {
      this.#reserving.delete(block);
      if (place >= 0) {
        const bytes = layer.shape.bitmapSectors * SECTOR_SIZE;
        const dirty: DirtyBlock = {
          block,
          place,
          bits: new Uint8Array(bytes),
          written: new Uint8Array(bytes),
          needsEntry: true,
          isZero: layer.file.isRegular,
          users: 0,
          isUncertain: false,
        };
        layer.dirty.set(block, dirty);
        for (const waiter of waiting) waiter(0);
      } else {
        for (const waiter of waiting) waiter(place);
      }
    });
  }

  #put(
    piece: Piece,
    place: number,
    bits: Uint8Array,
    isHole: boolean,
    done: Done,
    put: (position: number, done: Done) => void,
  ): void {
    const { layer, commits, zeroed, answersEarly } = this.#parts;
    const { block, from, to } = piece;
    const position = layer.position(place, from);
    const known = layer.dirty.get(block);
    // A hole in a block that is one changes nothing of the data; whatever else is put there makes the block none.
    const isThere = isHole && known?.isZero === true;
    if (known && !isThere) known.isZero = false;
    if (areSet(known ? known.written : bits, from, to)) {
      // The file has the bits: nothing of the metadata changes (V50).
      if (isThere) done(0);
      else put(position, done);
      return;
    }
    const dirty = known ?? this.#pin(block, place, bits);
    dirty.users++;
    const ready = (result: number): void => {
      dirty.users--;
      if (result < 0) {
        zeroed.spoil(block);
        commits.abandon(dirty);
        done(result);
        return;
      }
      // Only now that the data is in the file (V51).
      setRange(dirty.bits, from, to);
      const needsSync = !zeroed.covers(block, place, from, to);
      if (!answersEarly || layer.dirty.size > MAX_AHEAD) {
        commits.add(dirty, needsSync, done);
      } else {
        commits.add(dirty, needsSync);
        done(0);
      }
    };
    if (isThere) ready(0);
    else put(position, ready);
  }

  #pin(block: number, place: number, bits: Uint8Array): DirtyBlock {
    const { layer } = this.#parts;
    const dirty: DirtyBlock = {
      block,
      place,
      bits,
      written: bits.slice(),
      needsEntry: false,
      isZero: false,
      users: 0,
      isUncertain: false,
    };
    layer.bitmaps.delete(block);
    layer.dirty.set(block, dirty);
    return dirty;
  }
}
