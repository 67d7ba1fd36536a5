// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type BlockDevice, type Done, ESHUTDOWN, SECTOR_SIZE, type SectorRange } from '../disks/index.js';
import type { BufferPool } from '../posix/buffers.js';

/** How much is read at a time. */
const PIECE_SECTORS = (256 << 10) / SECTOR_SIZE;

export interface CacheParts {
  readonly device: BlockDevice;
  readonly pool: BufferPool<Buffer>;
  /** Runs a task in a later turn of the scheduler. */
  readonly post: (task: () => void) => void;
  /** Whether anybody still waits for the end. */
  readonly isNeeded: () => boolean;
}

/**
 * Reads a range and drops it, so that the system has it in its cache; a piece after the other, the first error ends it. A
 * piece that is there at once is followed by the next in a later turn: see `post`. It ends with -ESHUTDOWN when
 * nobody needs it any more.
 */
export function cacheRange(
  { device, pool, post, isNeeded }: CacheParts,
  { sector, sectors }: SectorRange,
  done: Done,
): void {
  const buffer = pool.take(Math.min(sectors, PIECE_SECTORS) * SECTOR_SIZE);
  const end = sector + sectors;
  const finish: Done = (result) => {
    pool.give(buffer);
    done(result);
  };
  const readFrom = (at: number): void => {
    if (!isNeeded()) return finish(-ESHUTDOWN);
    const count = Math.min(PIECE_SECTORS, end - at);
    let inCall = true;
    device.queueRead(at, buffer.subarray(0, count * SECTOR_SIZE), (result) => {
      const next = at + count;
      if (result < 0 || next === end) finish(result);
      else if (inCall) post(() => readFrom(next));
      else readFrom(next);
    });
    inCall = false;
    return undefined;
  };
  readFrom(sector);
}
