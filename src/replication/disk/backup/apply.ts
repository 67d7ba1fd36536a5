// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { gather } from '../gather.js';
import { type Done, type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import { spareBuffers } from '../spare-buffers.js';
import type { Extent, SectorMap } from './sector-map.js';

/** The longest write of data: 1 MiB. */
const MAX_RUN_SECTORS = 2048;
/** How many writes are under way at a time. */
const DEPTH = 4;

/** Adjacent extents that are written at once, all of them data or all of them zeroes. */
interface Run {
  readonly start: number;
  end: number;
  readonly extents: [Extent, ...Extent[]];
}

/**
 * Writes a map to a disk, in ascending runs; each sector is written once, so no two writes of one are ever in flight.
 * The first error ends it, once what is under way has ended.
 */
export function applyMap(disk: LocalDisk, map: SectorMap, done: Done): void {
  const runs = runsOf(map);
  let underWay = 0;
  let failure = 0;
  let isFilling = false;
  const ended = (result: number): void => {
    if (failure === 0) failure = Math.min(result, 0);
    if (failure < 0) runs.return();
    underWay -= 1;
    if (!isFilling) fill();
  };
  const fill = (): void => {
    isFilling = true;
    while (underWay < DEPTH) {
      const next = runs.next();
      if (next.done) break;
      underWay += 1;
      applyRun(disk, next.value, ended);
    }
    isFilling = false;
    if (underWay === 0) done(failure);
  };
  fill();
}

function applyRun(disk: LocalDisk, { start, end, extents }: Run, done: Done): void {
  const [first] = extents;
  if (isZeroes(first)) {
    disk.zero(start, end - start, done);
    return;
  }
  const { piece, offset } = first;
  if (extents.length === 1 && piece?.bytes !== undefined) {
    piece.pins += 1;
    disk.write(start, piece.bytes.subarray(offset, offset + (end - start) * SECTOR_SIZE), (result) => {
      piece.pins -= 1;
      done(result);
    });
    return;
  }
  const buffer = spareBuffers.take((end - start) * SECTOR_SIZE);
  const ended = (result: number): void => {
    spareBuffers.give(buffer);
    done(result);
  };
  const gathered = (result: number): void => {
    if (result < 0) ended(result);
    else disk.write(start, buffer, ended);
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
  let run: Run | undefined;
  for (const extent of map.all()) {
    if (run !== undefined && goesOn(run, extent)) {
      run.extents.push(extent);
      run.end = extent.end;
    } else {
      if (run !== undefined) yield run;
      run = { start: extent.start, end: extent.end, extents: [extent] };
    }
  }
  if (run !== undefined) yield run;
}

function goesOn({ start, end, extents: [first] }: Run, next: Extent): boolean {
  if (next.start !== end || isZeroes(next) !== isZeroes(first)) return false;
  return isZeroes(next) || next.end - start <= MAX_RUN_SECTORS;
}

function isZeroes({ piece }: Extent): boolean {
  return piece === undefined;
}
