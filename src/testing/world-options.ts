// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferSizes } from './endpoint-host.js';
import type { PathConditions } from './path.js';

/** How long a run goes on for a condition that does not come true, unless set otherwise. */
export const DEFAULT_LIMIT_SECONDS = 3600;
/** So many events in one and the same microsecond are a loop that never ends, unless set otherwise. */
export const DEFAULT_MAX_EVENTS_AT_ONCE = 200_000;
export interface WorldOptions {
  /** Everything random is drawn from it; a safe integer, 1 unless given. */
  readonly seed?: number;
  /** What the hosts' clocks show at the beginning, in seconds since the epoch; a moment in 2014 drawn from the seed. */
  readonly startSeconds?: number;
  /** What links are like, unless shaped otherwise; {@link LAN} unless given. */
  readonly link?: Partial<PathConditions>;
  /** The sizes of each connection's buffers: 64 KiB to send, 64 KiB to receive, segments of 16 KiB unless given. */
  readonly buffers?: Partial<BufferSizes>;
  /** How long it takes at most from readiness to select's answer; each time is drawn. 50 µs unless given. */
  readonly maxWakeLatencySeconds?: number;
  /** How often read and write transfer less than they could, 0 (as given) to 1. */
  readonly shortTransfers?: number;
  /** How many lines of trace are kept at least; 0 for no trace at all. */
  readonly traceLines?: number;
  /** How many events in one microsecond are an error; {@link DEFAULT_MAX_EVENTS_AT_ONCE} unless given. */
  readonly maxEventsAtOnce?: number;
}

/** A simulated host: its name, addresses and buffers. */
export interface HostOptions {
  /** Further addresses, IPv4 or IPv6. */
  readonly addresses?: readonly string[];
  /** The first number that no descriptor gets (RLIMIT_NOFILE); 1024 unless given. */
  readonly maxDescriptors?: number;
  /** Whether its programs may bind ports below 1024; true unless given. */
  readonly privileged?: boolean;
}

/** Where a run of a simulated world ends. */
export interface RunLimits {
  /** Virtual seconds from now after which waiting for a condition is an error; {@link DEFAULT_LIMIT_SECONDS}. */
  readonly limitSeconds?: number;
}
