// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { gather } from '../gather.js';
import { type Done, type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { Extent, SectorMap } from './sector-map.js';

/** The longest write of data: 1 MiB. */
const MAX_RUN_SECTORS = 2048;
/** How many writes are under way at a time. */
const DEPTH = 4;

/** Adjacent extents that are written at once, all of them data or all of them zeroes. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly extents: readonly Extent[];
}

/**
 * Writes a map to a disk, in ascending runs; each sector is written once, so no two writes of one are ever in flight.
 * The first error ends it, once what is under way has ended.
 */
export function applyMap(disk: LocalDisk, map: SectorMap, done: Done): void {
  const runs = runsOf(map);
  let left = 1;
  let failure = 0;
  let filling = false;
  const ended = (result: number): void => {
    if (result < 0 && failure === 0) failure = result;
    left -= 1;
    if (!filling) fill();
  };
  const fill = (): void => {
    filling = true;
    while (left <= DEPTH) {
      const next = failure === 0 ? runs.next() : undefined;
      if (next === undefined || next.done) break;
      left += 1;
      applyRun(disk, next.value, ended);
    }
    filling = false;
    if (left === 1) {
      left = 0;
      done(failure);
    }
  };
  fill();
}

function applyRun(disk: LocalDisk, { start, end, extents }: Run, done: Done): void {
  if (extents[0]?.piece === undefined) {
    disk.zero(start, end - start, done);
    return;
  }
  const only = extents.length === 1 ? extents[0] : undefined;
  const piece = only?.piece;
  if (only !== undefined && piece?.bytes !== undefined) {
    const bytes = piece.bytes.subarray(only.offset, only.offset + (end - start) * SECTOR_SIZE);
    piece.pins += 1;
    disk.write(start, bytes, (result) => {
      piece.pins -= 1;
      done(result);
    });
    return;
  }
  const buffer = Buffer.allocUnsafe((end - start) * SECTOR_SIZE);
  const gathered = (result: number): void => {
    if (result < 0) done(result);
    else disk.write(start, buffer, done);
  };
  gather(gathered, (part) => {
    for (const extent of extents) {
      const from = (extent.start - start) * SECTOR_SIZE;
      const into = buffer.subarray(from, from + (extent.end - extent.start) * SECTOR_SIZE);
      extent.piece?.read(extent.offset, into, part());
    }
  });
}

function* runsOf(map: SectorMap): Generator<Run, void, undefined> {
  let extents: Extent[] = [];
  let start = 0;
  let end = 0;
  for (const extent of map.all()) {
    const isZero = extent.piece === undefined;
    const goesOn =
      extents.length > 0 &&
      extent.start === end &&
      isZero === (extents[0]?.piece === undefined) &&
      (isZero || extent.end - start <= MAX_RUN_SECTORS);
    if (!goesOn) {
      if (extents.length > 0) yield { start, end, extents };
      extents = [];
      start = extent.start;
    }
    extents.push(extent);
    end = extent.end;
  }
  if (extents.length > 0) yield { start, end, extents };
}
