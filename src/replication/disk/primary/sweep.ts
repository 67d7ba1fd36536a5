// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { MetadataFile } from '../metadata-file.js';
import type { PrimaryRole } from './primary-role.js';

/**
 * Lets bits fall once the image is synced and the metadata say what the backup had then: should it come back with less, it is
 * found to have lost something. Nothing falls while `isCurrent` says that the role is another one by then.
 */
export function sweepWhenDurable(
  primary: PrimaryRole,
  metadata: MetadataFile,
  isCurrent: () => boolean,
): void {
  primary.flush((flushed) => {
    if (flushed < 0) return;
    metadata.settle((result) => {
      if (result === 0 && isCurrent()) primary.sweep();
    });
  });
}
