// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { MAX_WAITING_CONNECTIONS, MIN_WAITING_CONNECTIONS } from './node/accept-queue.js';
export * from './address.js';
export type { BindCall } from './node/bind-handle.js';
export type { Bound } from './node/bound.js';
export * from './clock.js';
export { DEFAULT_MAX_DESCRIPTORS } from './shared/descriptor-table.js';
export * from './errno.js';
export { FIRST_DESCRIPTOR } from './shared/free-numbers.js';
export * from './gai.js';
export { DEFAULT_RECEIVE_BUFFER_BYTES } from './node/inbound.js';
export { DEFAULT_LINGER_SECONDS } from './node/linger.js';
export { type Lookup, MAX_RESOLVED_NAMES, systemLookup } from './shared/name-resolver.js';
export type { NodeObject, NodeStream } from './shared/node-object.js';
export type { NodePosixOptions } from './node/node-posix-options.js';
export { NodePosix } from './node/node-posix.js';
export { DEFAULT_SEND_BUFFER_BYTES } from './node/outbound.js';
export * from './poller.js';
export * from './posix.js';
export { SystemError } from './system-error.js';
export { nodeTimers, type TimerHandle, type Timers } from './timers.js';
export * from './files.js';
export { bytesLeft, wasClosed } from './node/standard-streams.js';
export { FALLOCATE_PROGRAM } from './node/fallocate.js';
export { NodeFileCalls } from './node/files.js';
export { openDirectoryPath } from './node/open-directory.js';
export type { TaskQueue } from './node/task-queue.js';
