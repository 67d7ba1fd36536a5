// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { EntryObserver, type SchedulerEntry } from '../../src/metrics/scheduler-entry.js';

t.test('a sleep that had begun before anybody looked is left out', async (t) => {
  const entries: SchedulerEntry[] = [];
  let now = 5;
  const observer = new EntryObserver(
    () => now,
    (entry) => entries.push(entry),
  );
  observer.woke(1);
  t.same(entries, []);
  observer.sleeping();
  now = 12;
  observer.woke(2);
  t.same(entries, [{ kind: 'sleep', at: 5, duration: 7, answer: 2 }]);
});
