// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Smaller blocks are not worth keeping apart. */
export const SMALLEST_BLOCK_BYTES = 4096;

/** The size of the block for this many bytes: a power of two, so that one of about a length is of use for another. */
export function blockBytes(length: number): number {
  if (length <= SMALLEST_BLOCK_BYTES) return SMALLEST_BLOCK_BYTES;
  const exponent = 32 - Math.clz32(length - 1);
  // `**` is a call into C, which shows in profiles.
  return exponent < 31 ? 1 << exponent : 2 ** exponent;
}
