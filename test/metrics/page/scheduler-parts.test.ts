// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { MAX_SHOWN_EVENTS, schedulerParts } from '../../../src/metrics/page/scheduler-parts.js';
import type { EventView, SchedulerView } from '../../../src/metrics/scheduler-view.js';

const event: EventView = {
  id: 5,
  mode: 'READ|TIMEOUT',
  fd: 7,
  timeoutSeconds: 30,
  dueInSeconds: 12.6,
  masked: true,
  purpose: 'heartbeat',
};

const view: SchedulerView = {
  dialect: 'tapdisk3',
  atSeconds: 1000.75,
  events: [event],
  eventCount: 1,
  callbacks: 9,
  callbacksPerSecond: 3.6,
  callbackShare: 0.123456,
  rateSeconds: 1,
  slowest: [{ seconds: 0.5, eventId: 5, mode: 'READ', fd: 7, atSeconds: 999 }],
  loopLag: { meanSeconds: 1, p50Seconds: 0.0000014, p99Seconds: 0.0123456, maxSeconds: 2 },
};

t.test('the scheduler is shown in figures that do not change with noise', async (t) => {
  const [first] = schedulerParts(view);
  t.strictSame(first, [
    'scheduler',
    {
      dialect: 'tapdisk3',
      events: 1,
      shownEvents: 1,
      callbacksPerSecond: 4,
      busy: 0.1235,
      lagP50Seconds: 0.000001,
      lagP99Seconds: 0.012346,
      lagMaxSeconds: 2,
      slowest: view.slowest,
    },
  ]);
});

t.test('an event is due at a second that stays the same while it waits', async (t) => {
  const due = (dueInSeconds: EventView['dueInSeconds'], atSeconds = 1000.75): unknown => {
    const [, [key, part] = []] = schedulerParts({ ...view, atSeconds, events: [{ ...event, dueInSeconds }] });
    t.equal(key, 'event:5');
    t.match(part, {
      id: 5,
      mode: 'READ|TIMEOUT',
      fd: 7,
      purpose: 'heartbeat',
      timeoutSeconds: 30,
      masked: true,
    });
    return (part as { dueAt: unknown }).dueAt;
  };
  t.equal(due(12.6), 1013);
  t.equal(due(12.4), 1012);
  t.equal(due(11, 1001.25), 1012, "tapdisk2's scheduler counts down in whole seconds");
  t.equal(due(-2), 998, 'overdue');
  t.equal(due('never'), 'never');
  t.equal(due(null), null);
});

t.test('of many events the first are shown, and how many there are', async (t) => {
  const events = Array.from({ length: MAX_SHOWN_EVENTS + 1 }, (_, id) => ({ ...event, id }));
  const [[, scheduler] = [], ...parts] = schedulerParts({ ...view, events, eventCount: 2000 });
  t.match(scheduler, { events: 2000, shownEvents: MAX_SHOWN_EVENTS });
  t.equal(parts.length, MAX_SHOWN_EVENTS);
  t.equal(parts.at(-1)?.[0], `event:${MAX_SHOWN_EVENTS - 1}`);
});
