// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Ramdisk } from './ramdisk.js';

/**
 * Takes the sectors of a range that pend or are in flight, to lay them over what the disk has of that range: together they
 * are the last checkpoint. It has to be taken before the disk is asked, since what ends its flight afterwards may or may not
 * be in what the disk returns.
 *
 * @returns lays the sectors over a buffer with the whole range
 */
export function ramdiskOverlay(disk: Ramdisk, sector: bigint, count: number): (buffer: Uint8Array) => void {
  const held = Array.from({ length: count }, (_, index) => {
    const at = sector + BigInt(index);
    return disk.prev?.get(at) ?? disk.inprogress?.data(at);
  });
  return (buffer) => {
    for (const [index, data] of held.entries()) {
      if (data !== undefined) buffer.set(data, index * disk.sectorSize);
    }
  };
}
