// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { type DataRequest, type Done, SECTOR_SIZE } from '../../driver.js';
import { readExactly } from '../../../posix/whole-transfer.js';
import { AllDone } from './all-done.js';
import type { Layer } from './layer.js';
import { mapRange } from './map-range.js';

/**
 * Reads a range through a chain; what no image has is zeroes. Completes with 0, or the first error: -EIO for sectors that
 * an image has but its file is too short for.
 */
export function readRange(
  files: Pick<FileCalls, 'read'>,
  layers: readonly Layer[],
  request: DataRequest,
  done: Done,
): void {
  const all = new AllDone(done);
  const mapped = all.expect();
  mapRange(
    layers,
    request,
    (layer, position, sector, sectors) => {
      const at = (sector - request.sector) * SECTOR_SIZE;
      const bytes = request.buffer.subarray(at, at + sectors * SECTOR_SIZE);
      if (!layer) {
        bytes.fill(0);
        return;
      }
      const missing = position + bytes.length - layer.dataEnd;
      if (missing > 0 && !layer.endsAnywhere) all.expect()(-errno.EIO);
      else {
        const present = bytes.subarray(0, bytes.length - Math.max(0, missing));
        bytes.fill(0, present.length);
        readExactly(files, layer.file.fd, present, position, all.expect());
      }
    },
    mapped,
  );
}
