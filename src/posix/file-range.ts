// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from './errno.js';

/**
 * What is wrong with a range of a file, in bytes: 0 when nothing is, -EINVAL for an invalid range, -EFBIG for one that ends
 * beyond 2^53 - 1. Numbers have gaps from there on: a byte could not be distinguished from its neighbours.
 */
export function fileRangeFault(position: number, length: number): number {
  if (!Number.isInteger(position) || !Number.isInteger(length) || position < 0 || length < 0) {
    return -errno.EINVAL;
  }
  return Number.isSafeInteger(position + length) ? 0 : -errno.EFBIG;
}
