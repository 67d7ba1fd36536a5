// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type LocalDisk, SECTOR_SIZE } from './local-disk.js';
import { isAllZero } from './primary/copier.js';
import { StateError } from './state-file.js';

const PIECE_SECTORS = 2048;

/** Whether a disk reads as zeroes all over. The first byte that is not ends the search. @throws (rejects with) StateError */
export async function isBlank(disk: LocalDisk): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(PIECE_SECTORS * SECTOR_SIZE);
  for (let sector = 0; sector < disk.sectors; sector += PIECE_SECTORS) {
    const piece = buffer.subarray(0, Math.min(PIECE_SECTORS, disk.sectors - sector) * SECTOR_SIZE);
    const result = await new Promise<number>((resolve) => {
      disk.read(sector, piece, resolve);
    });
    if (result < 0) throw new StateError(`cannot read the image at sector ${sector}`, result);
    if (!isAllZero(piece)) return false;
  }
  return true;
}
