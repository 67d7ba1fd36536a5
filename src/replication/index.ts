// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export * from './async-io.js';
export * from './block-replication.js';
export { connectReplica } from './connect-replica.js';
export type { ConnectReplicaOptions } from './connect-replica.js';
export { tdReplicationConnectInitAsync } from './init-async.js';
export * from './ramdisk.js';
export { ramdiskOverlay } from './ramdisk-overlay.js';
export { ReplicaError } from './replica-host.js';
export type { PeerFilter, ReplicaHost } from './replica-host.js';
export { ReplicaListener, serveReplica } from './serve-replica.js';
export type { ServeReplicaOptions } from './serve-replica.js';
export type { FlightTable, SectorTable } from './sector-table.js';
