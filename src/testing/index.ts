// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

export { CALL_NAMES, CallFault, type CallFaultOptions, type CallName } from './call-faults.js';
export {
  type EachCallReport,
  failEachCall,
  failEachNamed,
  type FailedRun,
  type FailingScenario,
} from './each-call.js';
export type { BufferSizes } from './endpoint-host.js';
export * from './files/index.js';
export { type CrashKind, type Program, SimulatedHost } from './host.js';
export { CheckedStreams, IncomingStream, OutgoingStream } from './invariants/checked-streams.js';
export { Violations } from './invariants/violations.js';
export {
  type ConnectModule,
  connectModule,
  WatchedConnect,
  type WatchedConnectOptions,
} from './invariants/watched-connect.js';
export { WatchedRegistrar } from './invariants/watched-registrar.js';
export { type Direction, Link } from './link.js';
export type { NameRecord } from './name-service.js';
export { LAN, LOOPBACK, type PathConditions } from './path.js';
export { Random } from './random.js';
export { SimulatedPoller } from './simulated-poller.js';
export { SimulatedPosix } from './simulated-posix.js';
export { CONNECT_SECONDS, FAULT_SECONDS, simulate, type SimulationResult } from './simulation/simulate.js';
export { DEFAULT_TRACE_LINES, Trace } from './trace.js';
export { TYPICAL_ERRORS } from './typical-errors.js';
export { SimulatedWorld } from './world.js';
export {
  DEFAULT_LIMIT_SECONDS,
  DEFAULT_MAX_EVENTS_AT_ONCE,
  type HostOptions,
  type RunLimits,
  type WorldOptions,
} from './world-options.js';
