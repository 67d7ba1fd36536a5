// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { monotonicClock, NodePosix, wallClock } from '../../src/posix/index.js';

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
