// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Whether C's int holds the number. */
export function isInt32(value: number): boolean {
  return (value | 0) === value;
}
