// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockDevice, type BlockStatusExtent, type Done, SECTOR_SIZE } from '../disks/index.js';

/** A read of this many bytes is worth the question whether it has holes. */
export const MIN_SPARSE_BYTES = 32 << 10;
/** Smaller holes are read like data, since a chunk of its own costs more. */
const MIN_HOLE_SECTORS = (8 << 10) / SECTOR_SIZE;
/** A reply has so many pieces; the last one may have holes in it. */
const MAX_PIECES = 64;

/** A part of what is read; a hole has no data. */
export interface ReadPiece {
  readonly sector: number;
  sectors: number;
  readonly isHole: boolean;
  data?: Buffer;
}

/** A range in parts: what is known to read as zeroes, and the rest, which is to be read. */
export function piecesOf(
  sector: number,
  sectors: number,
  extents: readonly BlockStatusExtent[],
): ReadPiece[] {
  const pieces: ReadPiece[] = [];
  const add = (at: number, count: number, isHole: boolean): void => {
    const last = pieces.at(-1);
    if (last && (last.isHole === isHole || (pieces.length === MAX_PIECES && !last.isHole)))
      last.sectors += count;
    else pieces.push({ sector: at, sectors: count, isHole: isHole && pieces.length < MAX_PIECES - 1 });
  };
  let at = sector;
  const end = sector + sectors;
  for (const extent of extents) {
    const count = Math.min(extent.sectors, end - at);
    if (count > 0) add(at, count, extent.zero && count >= MIN_HOLE_SECTORS);
    at += count;
  }
  if (at < end) add(at, end - at, false);
  return pieces;
}

/**
 * Reads the pieces that are no holes, into buffers that `take` has. Completes with 0 or the first error when all have ended;
 * the buffers are the caller's to give back.
 */
export function readPieces(
  device: BlockDevice,
  pieces: readonly ReadPiece[],
  take: (length: number) => Buffer,
  done: Done,
): void {
  let left = 1;
  let first = 0;
  const ended = (result: number): void => {
    if (result < 0 && first === 0) first = result;
    left--;
    if (left === 0) done(first);
  };
  for (const piece of pieces) {
    if (piece.isHole) continue;
    left++;
    piece.data = take(piece.sectors * SECTOR_SIZE);
    device.queueRead(piece.sector, piece.data, ended);
  }
  ended(0);
}
