// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventView, SchedulerView } from '../scheduler-view.js';
import type { EventPart, SchedulerPart } from './wire.js';

/** The maximum number of events in the page's table, which states how many more there are. */
export const MAX_SHOWN_EVENTS = 500;

/** What the page shows of the scheduler, by key. */
export function schedulerParts(view: SchedulerView): [key: string, part: SchedulerPart | EventPart][] {
  const shown = view.events.slice(0, MAX_SHOWN_EVENTS);
  const events = shown.map((event): [string, EventPart] => {
    return [`event:${event.id}`, eventPart(event, view.atSeconds)];
  });
  const { loopLag } = view;
  const part: SchedulerPart = {
    dialect: view.dialect,
    events: view.eventCount,
    shownEvents: shown.length,
    callbacksPerSecond: Math.round(view.callbacksPerSecond),
    busy: Number(view.callbackShare.toFixed(4)),
    lagP50Seconds: microseconds(loopLag.p50Seconds),
    lagP99Seconds: microseconds(loopLag.p99Seconds),
    lagMaxSeconds: microseconds(loopLag.maxSeconds),
    slowest: view.slowest,
  };
  return [['scheduler', part], ...events];
}

/** States when an event is due, not in how long: that would change every second. */
function eventPart(event: EventView, now: number): EventPart {
  const { id, mode, fd, purpose, timeoutSeconds, dueInSeconds, masked } = event;
  const dueAt = typeof dueInSeconds === 'number' ? Math.floor(now) + Math.round(dueInSeconds) : dueInSeconds;
  return { id, mode, fd, purpose, timeoutSeconds, dueAt, masked };
}

function microseconds(seconds: number): number {
  return Number(seconds.toFixed(6));
}
