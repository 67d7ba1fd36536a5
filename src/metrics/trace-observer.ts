// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { SchedulerObserver } from '../scheduler/observer.js';
import { EntryObserver } from './scheduler-entry.js';
import { type TraceEvent, traceEvent } from './trace-event.js';

/** Microseconds since `startSeconds`, which the trace event format counts in. */
export function traceClock(clock: Clock, startSeconds = clock.now()): () => number {
  return () => Math.round((clock.now() - startSeconds) * 1e6);
}

/**
 * Turns what a scheduler does into entries of the trace event format (see {@link traceEvent}), for chrome://tracing and
 * Perfetto. An entry comes when it is over, so that a callback's comes after those of what it did.
 *
 * @param now in microseconds
 */
export function traceObserver(now: () => number, add: (event: TraceEvent) => void): SchedulerObserver {
  return new EntryObserver(now, (entry) => add(traceEvent(entry)));
}
