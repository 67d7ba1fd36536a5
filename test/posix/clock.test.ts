// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { isoTime, microsecondClock, monotonicClock, NodePosix, wallClock } from '../../src/posix/index.js';

t.test('the wall clock has the seconds since the epoch', async (t) => {
  const before = Date.now() / 1000;
  const now = wallClock.now();
  t.ok(before <= now && now <= Date.now() / 1000);
});

t.test('the monotonic clock starts there and never goes back', async (t) => {
  t.ok(
    Math.abs(monotonicClock.now() - wallClock.now()) < 3600,
    'unless the clock was set since the process began',
  );
  let last = monotonicClock.now();
  for (let n = 0; n < 1000; n++) {
    const now = monotonicClock.now();
    if (now < last) t.fail(`${now} after ${last}`);
    last = now;
  }
});

t.test('a table uses the given clock, or the monotonic one', async (t) => {
  t.equal(new NodePosix({ clock: wallClock }).clock, wallClock);
  t.equal(new NodePosix().clock, monotonicClock);
});

t.test('a clock of microseconds is the same clock in whole microseconds', async (t) => {
  t.equal(microsecondClock(wallClock), wallClock, 'where it has them itself');
  const seconds = microsecondClock({ now: () => 1_413_252_840.123_456 });
  t.equal(seconds.nowMicroseconds(), 1_413_252_840_123_456);
  for (const clock of [wallClock, monotonicClock]) {
    const before = clock.now();
    const microseconds = clock.nowMicroseconds();
    t.ok(Number.isInteger(microseconds));
    t.ok(before * 1e6 - 1 <= microseconds && microseconds <= clock.now() * 1e6 + 1);
  }
});

t.test('a time is written in UTC with milliseconds', async (t) => {
  t.equal(isoTime(1_413_252_840.125), '2014-10-14T02:14:00.125Z');
});
