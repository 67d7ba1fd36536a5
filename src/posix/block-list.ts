// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Addresses and ranges of addresses, as Node keeps them. */
export { BlockList } from 'node:net';
