// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { gather } from '../gather.js';
import { type Done, type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { Extent, SectorMap } from './sector-map.js';

/** Reads a disk as it looks with maps laid over it, the last one on top. */
export function readOverlay(
  disk: LocalDisk,
  maps: readonly SectorMap[],
  sector: number,
  buffer: Uint8Array,
  done: Done,
): void {
  const bytesOf = (start: number, end: number): Uint8Array =>
    buffer.subarray((start - sector) * SECTOR_SIZE, (end - sector) * SECTOR_SIZE);
  gather(done, (part) => {
    const take = ({ start, end, piece, offset }: Extent): void => {
      const into = bytesOf(start, end);
      if (piece === undefined) into.fill(0);
      else piece.read(offset, into, part());
    };
    const readFrom = (top: number, start: number, end: number): void => {
      const map = maps[top];
      if (map === undefined) {
        disk.read(start, bytesOf(start, end), part());
        return;
      }
      let at = start;
      for (const extent of map.within(start, end)) {
        if (extent.start > at) readFrom(top - 1, at, extent.start);
        take(extent);
        at = extent.end;
      }
      if (at < end) readFrom(top - 1, at, end);
    };
    readFrom(maps.length - 1, sector, sector + buffer.length / SECTOR_SIZE);
  });
}
