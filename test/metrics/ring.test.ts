// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Ring } from '../../src/metrics/ring.js';

t.test('a ring has the entries that were added last, in order, and counts the others', async (t) => {
  const ring = new Ring<number>(3);
  t.same([ring.list(), ring.dropped], [[], 0]);
  for (let entry = 1; entry <= 8; entry++) {
    ring.add(entry);
    const first = Math.max(1, entry - 2);
    const last = Array.from({ length: entry - first + 1 }, (_, index) => first + index);
    t.same([ring.list(), ring.dropped], [last, Math.max(0, entry - 3)]);
  }
});

t.test('a ring of one has the last entry', async (t) => {
  const ring = new Ring<string>(1);
  ring.add('a');
  ring.add('b');
  t.same([ring.list(), ring.dropped], [['b'], 1]);
});
