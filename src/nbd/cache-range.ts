// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockDevice, type Done, SECTOR_SIZE, type SectorRange } from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';

/** How much is read at a time. */
const PIECE_SECTORS = (256 << 10) / SECTOR_SIZE;

/**
 * Reads a range and drops it, so that the system has it in its cache; a piece after the other, the first error ends it. A
 * piece that is there at once is followed by the next in a later turn: see `post`.
 *
 * @param post runs a task in a later turn of the scheduler
 */
export function cacheRange(
  device: BlockDevice,
  pool: BufferPool,
  { sector, sectors }: SectorRange,
  post: (task: () => void) => void,
  done: Done,
): void {
  const buffer = pool.take(Math.min(sectors, PIECE_SECTORS) * SECTOR_SIZE);
  const end = sector + sectors;
  const readFrom = (at: number): void => {
    const count = Math.min(PIECE_SECTORS, end - at);
    let inCall = true;
    device.queueRead(at, buffer.subarray(0, count * SECTOR_SIZE), (result) => {
      const next = at + count;
      if (result < 0 || next === end) {
        pool.give(buffer);
        done(result);
      } else if (inCall) post(() => readFrom(next));
      else readFrom(next);
    });
    inCall = false;
  };
  readFrom(sector);
}
