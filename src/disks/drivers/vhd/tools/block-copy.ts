// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Done, SECTOR_SIZE } from '../../../driver.js';
import { countAllocated, NOT_ALLOCATED } from '../bat.js';
import { endOfRun, isSet } from '../bits.js';
import { type ImageFile, result } from '../image-file.js';
import type { Blocks } from '../load-image.js';
import type { Steps } from '../steps.js';

/** Takes data for a range of sectors. */
export type WriteSectors = (sector: number, bytes: Uint8Array, done: Done) => void;

export interface CopyControl {
  /** Called with how many allocated blocks were copied, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Asked before each block whether to end here. */
  readonly shouldStop?: (() => boolean) | undefined;
}

/**
 * Reads what an image itself has, block for block and each run of set bits, and writes it elsewhere.
 *
 * @returns whether all was copied, or the copying stopped
 * @throws FileError
 */
export function* copyBlocks(
  file: ImageFile,
  { bat, shape }: Blocks,
  sectors: number,
  target: { readonly path: string; readonly write: WriteSectors },
  { onProgress, shouldStop }: CopyControl,
): Steps<boolean> {
  const total = countAllocated(bat);
  let copied = 0;
  for (const [block, place] of bat.entries()) {
    const first = block * shape.sectors;
    if (place === NOT_ALLOCATED || first >= sectors) continue;
    if (shouldStop?.()) return false;
    const bits = yield* file.readWhole(place * SECTOR_SIZE, shape.bitmapSectors * SECTOR_SIZE);
    const end = Math.min(shape.sectors, sectors - first);
    for (let at = 0; at < end;) {
      const to = endOfRun(bits, at, end);
      if (isSet(bits, at)) {
        const position = (place + shape.bitmapSectors + at) * SECTOR_SIZE;
        const bytes = yield* file.readWhole(position, (to - at) * SECTOR_SIZE);
        const sector = first + at;
        yield* result(target.path, 'write', (done) => target.write(sector, bytes, done));
      }
      at = to;
    }
    copied++;
    onProgress?.(copied, total);
  }
  return true;
}
