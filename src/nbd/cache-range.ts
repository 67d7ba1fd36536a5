// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../disks/index.js';
import type { BlockDevice, Done, SectorRange } from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';

/** How much is read at a time. */
const PIECE_SECTORS = (256 << 10) / SECTOR_SIZE;

/** Reads a range and drops it, so that the system has it in its cache; a piece after the other, the first error ends it. */
export function cacheRange(
  device: BlockDevice,
  pool: BufferPool,
  { sector, sectors }: SectorRange,
  done: Done,
): void {
  const buffer = pool.take(Math.min(sectors, PIECE_SECTORS) * SECTOR_SIZE);
  const end = sector + sectors;
  let next = sector;
  let reading = false;
  let goesOn = false;
  const completed = (result: number): void => {
    if (result < 0 || next >= end) {
      goesOn = false;
      pool.give(buffer);
      done(result);
    } else if (reading) {
      // It completed before the call returned: the loop below reads on, and the stack does not grow.
      goesOn = true;
    } else {
      readOn();
    }
  };
  const readOn = (): void => {
    reading = true;
    do {
      goesOn = false;
      const at = next;
      const count = Math.min(PIECE_SECTORS, end - at);
      next += count;
      device.queueRead(at, buffer.subarray(0, count * SECTOR_SIZE), completed);
    } while (goesOn);
    reading = false;
  };
  readOn();
}
