// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export * from './block-replication.js';
export { tdReplicationConnectInitAsync } from './init-async.js';
