// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Bytes that a checkpoint has for some sectors, in memory or in a file. */
export interface Piece {
  /** While they are in memory. */
  bytes: Uint8Array | undefined;
  /** How many use its bytes where they are: the memory must not be used for anything else. */
  pins: number;
  /** Reads them again; completes with 0 or a negative errno. */
  read(offset: number, into: Uint8Array, done: (result: number) => void): void;
}

/** A range of sectors with their content. */
export interface Extent {
  readonly start: number;
  /** The first sector after it. */
  readonly end: number;
  /** undefined: zeroes. */
  readonly piece: Piece | undefined;
  /** Where the content begins in the piece, in bytes. */
  readonly offset: number;
}

/** Sectors in a bucket, each with a list of its own: 1 MiB. */
const BUCKET = 2048;
const SECTOR = 512;

/** Sectors with their content, the last one given wins. */
export class SectorMap {
  /** Lists of extents that do not overlap, ascending. */
  readonly #buckets = new Map<number, Extent[]>();
  #extents = 0;

  /** How many extents there are, which is what its memory costs. */
  get size(): number {
    return this.#extents;
  }

  set(start: number, end: number, piece: Piece | undefined, offset: number): void {
    for (let from = start; from < end;) {
      const bucket = Math.floor(from / BUCKET);
      const to = Math.min(end, (bucket + 1) * BUCKET);
      this.#replace(bucket, { start: from, end: to, piece, offset: offset + (from - start) * SECTOR });
      from = to;
    }
  }

  /** Lays another map over this one. */
  merge(other: SectorMap): void {
    for (const { start, end, piece, offset } of other.all()) this.set(start, end, piece, offset);
  }

  /** The extents within a range, cut to it, ascending. */
  within(start: number, end: number): Extent[] {
    const found: Extent[] = [];
    for (let bucket = Math.floor(start / BUCKET); bucket * BUCKET < end; bucket++) {
      for (const extent of this.#buckets.get(bucket) ?? []) {
        if (extent.end > start && extent.start < end) found.push(cut(extent, start, end));
      }
    }
    return found;
  }

  /** All extents, ascending. */
  *all(): Generator<Extent, void, undefined> {
    for (const [, extents] of [...this.#buckets].sort(([a], [b]) => a - b)) yield* extents;
  }

  #replace(bucket: number, extent: Extent): void {
    const list = this.#buckets.get(bucket) ?? [];
    this.#buckets.set(bucket, list);
    // From the end: most writes come in ascending order.
    let after = list.length;
    while (after > 0 && (list[after - 1] as Extent).start >= extent.end) after -= 1;
    let first = after;
    while (first > 0 && (list[first - 1] as Extent).end > extent.start) first -= 1;
    const replaced = list.slice(first, after);
    const kept = [extent];
    const left = replaced[0];
    const right = replaced.at(-1);
    if (left !== undefined && left.start < extent.start) kept.unshift(cut(left, left.start, extent.start));
    if (right !== undefined && right.end > extent.end) kept.push(cut(right, extent.end, right.end));
    list.splice(first, after - first, ...kept);
    this.#extents += kept.length - replaced.length;
  }
}

function cut(extent: Extent, start: number, end: number): Extent {
  const from = Math.max(extent.start, start);
  return {
    start: from,
    end: Math.min(extent.end, end),
    piece: extent.piece,
    offset: extent.offset + (from - extent.start) * SECTOR,
  };
}
