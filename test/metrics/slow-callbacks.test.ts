// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { TIMEOUT } from '../../src/scheduler/event.js';
import {
  MAX_SLOW_CALLBACKS,
  SLOW_CALLBACKS_SECONDS,
  SlowCallbacks,
} from '../../src/metrics/slow-callbacks.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';

const event = { id: 1, mode: TIMEOUT, fd: -1, timeoutSeconds: 1, deadlineSeconds: 0 };

t.test('the slowest callbacks are kept, the slowest first, in whatever order they ran', async (t) => {
  const random = new Random(randomSeed(t));
  const all: number[] = [];
  const slow = new SlowCallbacks();
  for (let count = 0; count < 200; count++) {
    const seconds = random.integer(0, 50);
    all.push(seconds);
    slow.note(seconds, 1000, event, TIMEOUT);
    const slowest = all.toSorted((one, other) => other - one).slice(0, MAX_SLOW_CALLBACKS);
    t.strictSame(
      slow.list(1000).map((callback) => callback.seconds),
      slowest,
    );
  }
});

t.test('a callback that took no time is listed while there are few', async (t) => {
  const slow = new SlowCallbacks();
  slow.note(0, 1000, { ...event, id: 7, fd: 3 }, TIMEOUT);
  t.strictSame(slow.list(1000), [{ seconds: 0, eventId: 7, mode: 'TIMEOUT', fd: 3, atSeconds: 1000 }]);
  slow.note(0, 1001, event, TIMEOUT);
  const next = 1000 + SLOW_CALLBACKS_SECONDS;
  for (const now of [next, next + 1]) slow.note(0, now, event, TIMEOUT);
  t.strictSame(
    slow.list(next + 1).map(({ atSeconds }) => atSeconds),
    [1000, 1001, next, next + 1],
    'in each span',
  );
});

t.test(
  'they are forgotten after one to two spans, and then slower ones do not hide quicker ones',
  async (t) => {
    const slow = new SlowCallbacks();
    const seconds = (now: number): number[] => slow.list(now).map((callback) => callback.seconds);
    for (let count = 0; count < MAX_SLOW_CALLBACKS; count++) slow.note(9, 1000, event, TIMEOUT);
    const next = 1000 + SLOW_CALLBACKS_SECONDS;
    slow.note(1, next, event, TIMEOUT);
    slow.note(0.5, next, event, TIMEOUT);
    t.equal(seconds(next).at(0), 9, 'those of the span before are there still');
    t.strictSame(seconds(next + SLOW_CALLBACKS_SECONDS), [1, 0.5]);
    t.strictSame(seconds(next + 2 * SLOW_CALLBACKS_SECONDS), []);
    slow.note(2, next + 10 * SLOW_CALLBACKS_SECONDS, event, TIMEOUT);
    t.strictSame(seconds(next + 10 * SLOW_CALLBACKS_SECONDS), [2]);
    t.strictSame(seconds(next + 15 * SLOW_CALLBACKS_SECONDS), [], 'also when nothing was noted for long');
  },
);
