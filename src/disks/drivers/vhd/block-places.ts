// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockShape, countAllocated, NOT_ALLOCATED } from './bat.js';

/** Where blocks may lie, in sectors. */
export interface PlaceLimits {
  /** Metadata ends here (V25). */
  readonly metadataEnd: number;
  /** Data ends here: the end of the file without the footer; Infinity when that is no fault. */
  readonly dataEnd: number;
  /** The disk's size: what a last block has after it does not count (V44). */
  readonly diskSectors: number;
}

/** What is wrong with where blocks lie (V24). */
export interface PlaceFaults {
  /** Blocks that start inside the metadata. */
  readonly early: readonly number[];
  /** Pairs of blocks that share sectors. */
  readonly overlapping: readonly (readonly [number, number])[];
  /** Blocks that start after the end of the file. */
  readonly outside: readonly number[];
  /** Blocks that the end of the file cuts. */
  readonly cut: readonly number[];
}

/** No list of faults has more entries. */
export const MAX_LISTED_FAULTS = 100;

/**
 * Checks every entry of a BAT, in time and memory linear in the number of allocated blocks: all have the same length, so
 * that in a division of the file into pieces of that length a block can only overlap with those of its own piece and of
 * the two beside it, and a piece without a fault has at most one.
 */
export function checkPlaces(bat: Uint32Array, shape: BlockShape, limits: PlaceLimits): PlaceFaults {
  const length = shape.bitmapSectors + shape.sectors;
  const early: number[] = [];
  const overlapping: [number, number][] = [];
  const outside: number[] = [];
  const cut: number[] = [];
  const pieces = new PieceTable(bat, length);
  for (let block = 0; block < bat.length; block++) {
    const place = bat[block] as number;
    if (place === NOT_ALLOCATED) continue;
    if (place < limits.metadataEnd) addTo(early, block);
    const used = Math.min(shape.sectors, limits.diskSectors - block * shape.sectors);
    if (place >= limits.dataEnd) addTo(outside, block);
    else if (place + shape.bitmapSectors + Math.max(0, used) > limits.dataEnd) addTo(cut, block);
    const other = pieces.add(block, place);
    if (other !== undefined) addTo(overlapping, [other, block]);
  }
  return { early, overlapping, outside, cut };
}

function addTo<T>(list: T[], item: T): void {
  if (list.length < MAX_LISTED_FAULTS) list.push(item);
}

/** A hash table from pieces of the file to blocks, in one array. */
class PieceTable {
  readonly #bat: Uint32Array;
  readonly #length: number;
  /** A block's number + 1, or 0. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  constructor(bat: Uint32Array, length: number) {
    this.#bat = bat;
    this.#length = length;
    const size = 2 ** Math.ceil(Math.log2(countAllocated(bat) * 2 + 2));
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
  }

  /** Puts a block in, and returns one that it overlaps with. */
  add(block: number, place: number): number | undefined {
    const piece = Math.floor(place / this.#length);
    const other =
      this.#overlapping(piece, place) ??
      this.#overlapping(piece - 1, place) ??
      this.#overlapping(piece + 1, place);
    // An overlapping one stays out: the pair is found, and pieces keep one block each.
    if (other === undefined) this.#slots[this.#slotOf(piece)] = block + 1;
    return other;
  }

  #overlapping(piece: number, place: number): number | undefined {
    const found = this.#slots[this.#slotOf(piece)] as number;
    if (found === 0) return undefined;
    const distance = Math.abs((this.#bat[found - 1] as number) - place);
    return distance < this.#length ? found - 1 : undefined;
  }

  /** The slot that has the piece's block, or the empty one for it. */
  #slotOf(piece: number): number {
    let slot = (Math.imul(piece, 0x9e37_79b1) >>> 7) & this.#mask;
    for (;;) {
      const found = this.#slots[slot] as number;
      if (found === 0) return slot;
      if (Math.floor((this.#bat[found - 1] as number) / this.#length) === piece) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}
