// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Done, ESHUTDOWN, SECTOR_SIZE, type SectorRange, type ZeroesRequest } from '../index.js';
import { zeroes } from '../zeroes.js';
import type { FileCalls } from '../../posix/files.js';
import { readWhole, writeWhole } from '../../posix/whole-transfer.js';

/** How much is zeroed at a time. */
const PIECE_BYTES = zeroes.length;

/**
 * Makes a range of a file read as zeroes, a piece after the other; the first error ends it. It ends with -ESHUTDOWN when
 * nobody needs it any more.
 *
 * @param endBytes what is after it is left alone
 * @param onlyWhereNotZero reads each piece first and leaves it alone if it is zero already: a hole in the file stays one
 */
export function zeroRange(
  files: Pick<FileCalls, 'read' | 'write'>,
  fd: number,
  range: SectorRange & Pick<ZeroesRequest, 'isNeeded'>,
  onlyWhereNotZero: boolean,
  done: Done,
  endBytes = Number.POSITIVE_INFINITY,
): void {
  const end = Math.min((range.sector + range.sectors) * SECTOR_SIZE, endBytes);
  const looked = onlyWhereNotZero
    ? Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, range.sectors * SECTOR_SIZE))
    : zeroes;
  const zeroFrom = (position: number): void => {
    // Pieces end at multiples of their size, so that they are the file system's blocks and not halves of them.
    const length = Math.min(PIECE_BYTES - (position % PIECE_BYTES), end - position);
    if (length === 0) {
      done(0);
      return;
    }
    if (range.isNeeded?.() === false) {
      done(-ESHUTDOWN);
      return;
    }
    const next = (result: number): void => {
      if (result < 0) done(result);
      else zeroFrom(position + length);
    };
    const write = (): void => writeWhole(files, fd, zeroes.subarray(0, length), position, next);
    if (!onlyWhereNotZero) {
      write();
      return;
    }
    const piece = looked.subarray(0, length);
    readWhole(files, fd, piece, position, (result) => {
      if (result < 0) done(result);
      else if (Buffer.compare(piece, zeroes.subarray(0, length)) === 0) next(0);
      else write();
    });
  };
  zeroFrom(range.sector * SECTOR_SIZE);
}
