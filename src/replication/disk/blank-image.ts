// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { type DiskExtent, type LocalDisk, SECTOR_SIZE } from './local-disk.js';
import { isAllZero } from './primary/copier.js';
import { StateError } from './state-file.js';

const PIECE_SECTORS = 2048;
/** So many pieces are read at a time. */
const READERS = 4;

interface Piece {
  readonly sector: number;
  readonly sectors: number;
}

/**
 * Whether a disk reads as zeroes all over. Holes are not read, and the first byte that is not zero ends the search; so does
 * the signal, once the reads that are under way have ended.
 *
 * @throws (rejects with) StateError: -ECANCELED once the signal is aborted, or the error of a read
 */
export async function isBlank(disk: LocalDisk, signal?: AbortSignal): Promise<boolean> {
  for (let sector = 0; sector < disk.sectors;) {
    const extents = await extentsFrom(disk, sector);
    if (!(await areZero(disk, piecesOf(extents, sector), signal))) return false;
    for (const { sectors } of extents) sector += sectors;
  }
  return true;
}

/** Where the extents are not known, all is to be read. */
function extentsFrom(disk: LocalDisk, sector: number): Promise<readonly DiskExtent[]> {
  const sectors = disk.sectors - sector;
  return new Promise((resolve) => {
    const found = (_result: number, extents: readonly DiskExtent[] = []): void =>
      resolve(extents.length > 0 ? extents : [{ sectors, zero: false }]);
    if (disk.extents) disk.extents(sector, sectors, found);
    else found(0);
  });
}

/** What is to be read, in order. */
function* piecesOf(extents: readonly DiskExtent[], start: number): Generator<Piece, void, undefined> {
  let end = start;
  for (const { sectors, zero } of extents) {
    const first = end;
    end += sectors;
    if (zero) continue;
    for (let sector = first; sector < end; sector += PIECE_SECTORS) {
      yield { sector, sectors: Math.min(PIECE_SECTORS, end - sector) };
    }
  }
}

/** Reads pieces, several at a time, until one is not zero. @throws (rejects with) StateError */
async function areZero(
  disk: LocalDisk,
  pieces: Iterator<Piece, void>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let failure: StateError | undefined;
  let areAllZero = true;
  const readOn = async (): Promise<void> => {
    let buffer: Buffer | undefined;
    while (areAllZero && failure === undefined) {
      const piece = pieces.next().value;
      if (piece === undefined) return;
      if (signal?.aborted) {
        failure = new StateError('the image was not read to its end', -errno.ECANCELED);
        return;
      }
      buffer ??= Buffer.allocUnsafe(PIECE_SECTORS * SECTOR_SIZE);
      const bytes = buffer.subarray(0, piece.sectors * SECTOR_SIZE);
      const result = await new Promise<number>((resolve) => {
        disk.read(piece.sector, bytes, resolve);
      });
      if (result < 0) failure ??= new StateError(`cannot read the image at sector ${piece.sector}`, result);
      else areAllZero &&= isAllZero(bytes);
    }
  };
  await Promise.all(Array.from({ length: READERS }, readOn));
  if (areAllZero && failure) throw failure;
  return areAllZero;
}
