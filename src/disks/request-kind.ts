// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The kinds of request that are counted apart. */
export const REQUEST_KINDS = ['read', 'write', 'flush', 'discard', 'writeZeroes'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];
