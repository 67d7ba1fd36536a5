// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export * from './logger.js';
export type { AwaitOptions } from './one-firing.js';
export { MAX_FAILED_WAITS, TapdiskServer } from './tapdisk-server.js';
export type { RunOptions, TapdiskServerOptions } from './tapdisk-server.js';
