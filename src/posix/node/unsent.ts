// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Writable } from 'node:stream';

/** What Node has beneath a stream that the kernel knows; undocumented, and looked at here alone. */
interface WithHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

/** A number that is 0 when the kernel has all that a stream has taken, and that changes whenever the kernel takes more. */
export function unsentMeasure(stream: Writable): number {
  if (stream.writableLength === 0) return 0;
  // Node counts a piece until it is through; beneath, it is counted how much of it is.
  return stream.writableLength + ((stream as WithHandle)._handle?.writeQueueSize ?? 0);
}
