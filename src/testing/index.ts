// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { CALL_NAMES, CallFault, type CallFaultOptions, type CallName } from './call-faults.js';
export type { BufferSizes } from './endpoint.js';
export { type CrashKind, type Program, SimulatedHost } from './host.js';
export { type Direction, Link } from './link.js';
export type { NameRecord } from './name-service.js';
export { LAN, LOOPBACK, type PathConditions } from './path.js';
export { Random } from './random.js';
export { SimulatedPosix } from './simulated-posix.js';
export { DEFAULT_TRACE_LINES, Trace } from './trace.js';
export {
  DEFAULT_LIMIT_SECONDS,
  type HostOptions,
  type RunLimits,
  SimulatedWorld,
  type WorldOptions,
} from './world.js';
