// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { CONNECT_SECONDS, simulate } from '../../../src/testing/index.js';

/** Runs seeds; those that fail are named by the command that replays them. */
export function testSeeds(first: number, last: number): void {
  t.test(`seeds ${first} to ${last} of random faults break no invariant`, async (t) => {
    let attempts = 0;
    let slowest = 0;
    for (let seed = first; seed <= last; seed++) {
      const result = await simulate(seed);
      attempts += result.attempts;
      slowest = Math.max(slowest, result.secondsToConnect ?? 0);
      const { violations } = result;
      if (violations.length > 0) t.same(violations, [], `tapdisk-ts simulate --seed ${seed} --trace`);
    }
    t.comment(
      `${attempts} starts, at most ${slowest.toFixed(3)} virtual seconds from the last fault to connected`,
    );
    t.ok(attempts > 3 * (last - first + 1), 'the faults made them start again');
    t.ok(slowest > 2 && slowest < CONNECT_SECONDS, 'some took a while to connect');
  });
}
