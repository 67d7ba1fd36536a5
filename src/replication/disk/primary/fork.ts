// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { randomHex } from '../format/fields.js';
import type { Metadata } from '../format/metadata-record.js';
import type { Done } from '../local-disk.js';
import type { MetadataFile } from '../metadata-file.js';
import { MAX_ANCESTORS } from '../standing.js';

/**
 * Whether a write without the other side has to begin a new generation: a commit may have been sent in the present one.
 *
 * @param sent the last epoch that may have been: less than in the metadata where it is known that one was not
 */
export function mustFork({ current }: MetadataFile, sent = current.sent): boolean {
  return sent > (current.ancestors[0]?.high ?? 0);
}

/** What a new generation changes in the metadata. */
export function forked({ current }: MetadataFile, random: (bytes: Uint8Array) => void): Partial<Metadata> {
  const { generation, acked, sent, ancestors } = current;
  const parent = { generation, low: acked, high: sent };
  return {
    generation: randomHex(random, 8),
    // Nothing of the new generation was sent: the backup cannot have more of it, or less.
    acked: sent,
    ancestors: [parent, ...ancestors].slice(0, MAX_ANCESTORS),
    // From here on its line says what it went on from.
    promoted: false,
  };
}

/** Begins a new generation; completes when that is durable, or with the error. */
export function fork(metadata: MetadataFile, random: (bytes: Uint8Array) => void, done: Done): void {
  metadata.update(forked(metadata, random), done);
}
