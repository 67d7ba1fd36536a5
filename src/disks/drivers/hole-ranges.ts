// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileRange } from '../../posix/file-holes.js';
import { type BlockStatusExtent, SECTOR_SIZE, type SectorRange } from '../index.js';

/** How many holes are kept; of a hole that would be one more, only the first part is, which shows less than there is. */
export const MAX_HOLES = 131_072;
/** How many extents are reported at once. */
export const MAX_TOLD_EXTENTS = 1024;

/** The holes of an image in memory, in sectors: found, made and filled in the time of a binary search. */
export class HoleRanges {
  /** Where each starts and ends, in order; none touches another. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** @param ranges in order; none touches another */
  constructor(ranges: Iterable<{ readonly start: number; readonly end: number }>) {
    for (const { start, end } of ranges) {
      if (this.#starts.length === MAX_HOLES) break;
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }

  /** The holes of a file, in order, without the sectors that they have in part. */
  static ofFile(holes: Iterable<FileRange>): HoleRanges {
    return new HoleRanges(wholeSectors(holes));
  }

  /** A range has become a hole. */
  add({ sector, sectors }: SectorRange): void {
    // Those that touch it become one with it.
    const from = firstAtLeast(this.#ends, sector);
    const to = firstAtLeast(this.#starts, sector + sectors + 1);
    if (from === to && this.#starts.length >= MAX_HOLES) return;
    const start = from < to ? Math.min(sector, this.#starts[from] as number) : sector;
    const end = from < to ? Math.max(sector + sectors, this.#ends[to - 1] as number) : sector + sectors;
    this.#starts.splice(from, to - from, start);
    this.#ends.splice(from, to - from, end);
  }

  /** A range is no hole any more. */
  remove({ sector, sectors }: SectorRange): void {
    const end = sector + sectors;
    const from = firstAtLeast(this.#ends, sector + 1);
    const to = firstAtLeast(this.#starts, end);
    if (from >= to) return;
    const left = this.#starts[from] as number;
    const right = this.#ends[to - 1] as number;
    const [starts, ends]: [number[], number[]] = [[], []];
    if (left < sector) {
      starts.push(left);
      ends.push(sector);
    }
    if (right > end && this.#starts.length - (to - from) + starts.length < MAX_HOLES) {
      starts.push(end);
      ends.push(right);
    }
    this.#starts.splice(from, to - from, ...starts);
    this.#ends.splice(from, to - from, ...ends);
  }

  /** What a range is made of, from its start on: at most {@link MAX_TOLD_EXTENTS} extents, and one. */
  extents({ sector, sectors }: SectorRange): BlockStatusExtent[] {
    const extents: BlockStatusExtent[] = [];
    const end = sector + sectors;
    let index = firstAtLeast(this.#ends, sector + 1);
    for (let at = sector; at < end && extents.length < MAX_TOLD_EXTENTS; index++) {
      const start = Math.max(at, Math.min(this.#starts[index] ?? end, end));
      const next = Math.max(start, Math.min(this.#ends[index] ?? end, end));
      if (start > at) extents.push({ sectors: start - at, allocated: true, zero: false });
      if (next > start) extents.push({ sectors: next - start, allocated: false, zero: true });
      at = next;
    }
    return extents;
  }
}

/** The index of the first number that is at least `least`. */
function firstAtLeast(sorted: readonly number[], least: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as number) < least) from = middle + 1;
    else to = middle;
  }
  return from;
}

function* wholeSectors(holes: Iterable<FileRange>): Generator<FileRange, void, undefined> {
  for (const hole of holes) {
    const start = Math.ceil(hole.start / SECTOR_SIZE);
    const end = Math.floor(hole.end / SECTOR_SIZE);
    if (end > start) yield { start, end };
  }
}
