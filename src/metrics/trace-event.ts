// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import { modeName, TIMEOUT } from '../scheduler/event.js';
import type { SchedulerEntry } from './scheduler-entry.js';

/** An entry of the trace event format, which chrome://tracing and Perfetto read. */
export type TraceEvent = Readonly<Record<string, unknown>>;

/** There is one process with one thread in a trace. */
const LANE = { pid: 1, tid: 1 };

/** The entries that give the process and its thread their names in a viewer. */
export function traceNames(process: string): TraceEvent[] {
  return [processName(process), { name: 'thread_name', ph: 'M', ...LANE, args: { name: 'scheduler' } }];
}

/** The entry that gives the process its name in a viewer. */
export function processName(name: string): TraceEvent {
  return { name: 'process_name', ph: 'M', ...LANE, args: { name } };
}

/** An instant of the whole trace, which says something of the trace itself. */
export function traceRemark(name: string, ts: number, args?: Readonly<Record<string, unknown>>): TraceEvent {
  return { name, ph: 'i', s: 'g', ts, ...LANE, ...(args && { args }) };
}

/** A callback or a sleep becomes a complete event (`X`), registering and unregistering become instants (`i`). */
export function traceEvent(entry: SchedulerEntry): TraceEvent {
  const { kind, at: ts } = entry;
  switch (kind) {
    case 'register':
    case 'unregister': {
      const { event } = entry;
      const name = `${kind} ${modeName(event.mode)}`;
      return { name, cat: 'event', ph: 'i', s: 't', ts, ...LANE, args: describe(event) };
    }
    case 'callback': {
      const { event, fired, duration: dur, isUnderWay } = entry;
      const name = fired === TIMEOUT ? 'TIMEOUT' : `${modeName(fired)} ${event.fd}`;
      const args = { ...describe(event), ...(isUnderWay && { 'has not ended': true }) };
      return { name, cat: 'callback', ph: 'X', ts, dur, ...LANE, args };
    }
    case 'sleep': {
      const { duration: dur, answer } = entry;
      const args = answer < 0 ? { failed: errnoCode(answer) } : { ready: answer };
      return { name: 'select', cat: 'wait', ph: 'X', ts, dur, ...LANE, args };
    }
    default:
      return kind satisfies never;
  }
}

function describe(event: Extract<SchedulerEntry, { event: unknown }>['event']): Record<string, unknown> {
  const { id, mode, fd, timeoutSeconds, callbackName } = event;
  const descriptor = mode === TIMEOUT ? {} : { fd };
  // JSON has no infinity.
  const timeout = Number.isFinite(timeoutSeconds) ? timeoutSeconds : 'infinite';
  return {
    event: id,
    ...descriptor,
    ...(mode & TIMEOUT && { timeoutSeconds: timeout }),
    ...(callbackName !== '' && { calls: callbackName }),
  };
}
