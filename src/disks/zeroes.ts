// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from './driver.js';
import type { Driver, ZeroesRequest } from './driver.js';

/** How many sectors of zeroes one write has (1 MiB). */
const SECTORS_AT_ONCE = 2048;
/** 1 MiB of zeroes, shared by all: nothing may write into the buffer of a write request. */
export const zeroes = new Uint8Array(SECTORS_AT_ONCE * SECTOR_SIZE);

/** Writes zeroes through a driver that has no call for them, a piece after the other; the first error ends it. */
export function writeZeroesByWriting(driver: Driver, request: ZeroesRequest): void {
  const end = request.sector + request.sectors;
  let sector = request.sector;
  let inCall = false;
  let goesOn = true;

  const complete = (result: number): void => {
    if (result < 0 || sector >= end) {
      goesOn = false;
      request.complete(result);
    } else if (inCall) {
      // Completed before queueWrite returned: the loop below takes the next piece, and the stack does not grow.
      goesOn = true;
    } else {
      writeOn();
    }
  };
  const writeOn = (): void => {
    inCall = true;
    do {
      goesOn = false;
      const sectors = Math.min(SECTORS_AT_ONCE, end - sector);
      const at = sector;
      sector += sectors;
      driver.queueWrite({ sector: at, sectors, buffer: zeroes.subarray(0, sectors * SECTOR_SIZE), complete });
    } while (goesOn);
    inCall = false;
  };
  writeOn();
}
