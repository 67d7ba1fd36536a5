// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Driver, ESHUTDOWN, SECTOR_SIZE, type ZeroesRequest } from './driver.js';

/** How many sectors of zeroes one write has (1 MiB). */
const SECTORS_AT_ONCE = 2048;
/** 1 MiB of zeroes, shared by all: nothing may write into the buffer of a write request. */
export const zeroes = new Uint8Array(SECTORS_AT_ONCE * SECTOR_SIZE);

/**
 * Writes zeroes through a driver that has no call for them, a piece after the other; the first error ends it. A piece that
 * completes at once is followed by the next in a later turn, so that others have theirs. It ends with -ESHUTDOWN when
 * nobody needs it any more.
 *
 * @param post runs a task in a later turn of the scheduler
 */
export function writeZeroesByWriting(
  driver: Driver,
  request: ZeroesRequest,
  post: (task: () => void) => void,
): void {
  const end = request.sector + request.sectors;
  const writeFrom = (sector: number): void => {
    if (request.isNeeded?.() === false) {
      request.complete(-ESHUTDOWN);
      return;
    }
    const sectors = Math.min(SECTORS_AT_ONCE, end - sector);
    let inCall = true;
    const complete = (result: number): void => {
      const next = sector + sectors;
      if (result < 0 || next === end) request.complete(result);
      else if (inCall) post(() => writeFrom(next));
      else writeFrom(next);
    };
    driver.queueWrite({ sector, sectors, buffer: zeroes.subarray(0, sectors * SECTOR_SIZE), complete });
    inCall = false;
  };
  writeFrom(request.sector);
}
