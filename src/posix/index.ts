// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { MAX_WAITING_CONNECTIONS, MIN_WAITING_CONNECTIONS } from './accept-queue.js';
export * from './address.js';
export type { Bound, BindCall } from './bind-handle.js';
export * from './clock.js';
export { DEFAULT_MAX_DESCRIPTORS } from './descriptor-table.js';
export * from './errno.js';
export { FIRST_DESCRIPTOR } from './free-numbers.js';
export * from './gai.js';
export { DEFAULT_RECEIVE_BUFFER_BYTES } from './inbound.js';
export { DEFAULT_LINGER_SECONDS } from './linger.js';
export { type Lookup, MAX_RESOLVED_NAMES, systemLookup } from './name-resolver.js';
export type { NodeObject, NodeStream } from './node-object.js';
export type { NodePosixOptions } from './node-posix-options.js';
export { NodePosix } from './node-posix.js';
export { DEFAULT_SEND_BUFFER_BYTES } from './outbound.js';
export * from './poller.js';
export * from './posix.js';
export { nodeTimers, type TimerHandle, type Timers } from './timers.js';
