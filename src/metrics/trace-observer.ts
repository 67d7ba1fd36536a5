// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { type EventDescription, modeName, TIMEOUT } from '../scheduler/event.js';
import type { SchedulerObserver } from '../scheduler/observer.js';
import type { TraceEvent } from './trace-file.js';

/** Microseconds since `startSeconds`, which the trace event format counts in. */
export function traceClock(clock: Clock, startSeconds = clock.now()): () => number {
  return () => Math.round((clock.now() - startSeconds) * 1e6);
}

/** The entry that gives the process its name in a viewer. */
export function processName(name: string): TraceEvent {
  return { name: 'process_name', ph: 'M', pid: 1, tid: 1, args: { name } };
}

/**
 * Turns what a scheduler does into entries of the trace event format (a callback is a complete event `X`, registering and
 * unregistering are instants `i`), for chrome://tracing and Perfetto.
 *
 * @param now in microseconds
 */
export function traceObserver(now: () => number, add: (event: TraceEvent) => void): SchedulerObserver {
  /** When each callback that is under way was entered: tapdisk3's scheduler enters some within others. */
  const entered: number[] = [];
  const instant = (what: string, event: EventDescription): void =>
    add({
      name: `${what} ${modeName(event.mode)}`,
      cat: 'event',
      ph: 'i',
      s: 't',
      ts: now(),
      pid: 1,
      tid: 1,
      args: describe(event),
    });
  return {
    registered: (event) => instant('register', event),
    unregistered: (event) => instant('unregister', event),
    entering() {
      entered.push(now());
    },
    left(event, mode) {
      const name = mode === TIMEOUT ? 'TIMEOUT' : `${modeName(mode)} ${event.fd}`;
      const enteredAt = entered.pop() as number;
      const dur = now() - enteredAt;
      add({ name, cat: 'callback', ph: 'X', ts: enteredAt, dur, pid: 1, tid: 1, args: describe(event) });
    },
  };
}

function describe({ id, mode, fd, timeoutSeconds }: EventDescription): Record<string, unknown> {
  const descriptor = mode === TIMEOUT ? {} : { fd };
  return { event: id, ...descriptor, ...(mode & TIMEOUT && { timeoutSeconds }) };
}
