// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE, type SectorRange } from './driver.js';

/** A part of a sector. */
export interface Edge {
  readonly sector: number;
  /** Where it begins in the sector, in bytes, and its length. */
  readonly from: number;
  readonly length: number;
  /** Where it begins in the range, in bytes. */
  readonly at: number;
}

/** A range of bytes as its whole sectors and what it has of others, at most two. */
export interface ByteRange {
  readonly edges: readonly Edge[];
  /** Undefined when it has no whole sector. `at`: where they begin in the range, in bytes. */
  readonly whole: (SectorRange & { readonly at: number }) | undefined;
}

/** `8 sectors at 16`. */
export function rangeText({ sector, sectors }: SectorRange): string {
  return `${sectors} ${sectors === 1 ? 'sector' : 'sectors'} at ${sector}`;
}

/** @param length at least 1 */
export function byteRange(offset: number, length: number): ByteRange {
  const end = offset + length;
  const edges: Edge[] = [];
  const edge = (sector: number): void => {
    const start = Math.max(offset, sector * SECTOR_SIZE);
    const stop = Math.min(end, (sector + 1) * SECTOR_SIZE);
    edges.push({ sector, from: start - sector * SECTOR_SIZE, length: stop - start, at: start - offset });
  };
  const first = Math.ceil(offset / SECTOR_SIZE);
  const last = Math.floor(end / SECTOR_SIZE);
  // A range within one sector has one edge.
  if (offset % SECTOR_SIZE !== 0) edge(first - 1);
  if (end % SECTOR_SIZE !== 0 && last >= first) edge(last);
  const whole =
    last > first ? { sector: first, sectors: last - first, at: first * SECTOR_SIZE - offset } : undefined;
  return { edges, whole };
}
