// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export * from './posix/index.js';
export * from './replication/index.js';
export * from './scheduler/index.js';
export * from './server/index.js';
