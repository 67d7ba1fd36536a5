// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { exhaust, WORLDS, type World } from './small-scope.js';

const [first, ...others] = WORLDS as readonly [World, ...World[]];

t.test(
  'every sequence of up to 6 operations gives equal traces on the scheduler and the reference',
  async (t) => {
    // `npm run nightly` goes to 6 in every world.
    t.same(await exhaust(first, 6), { tapes: 99_392 });
  },
);

t.test('every sequence of up to 5 operations does so on other events', async (t) => {
  const counts = [];
  for (const world of others) counts.push(await exhaust(world, 5));
  t.same(counts, [{ tapes: 13_843 }, { tapes: 11_232 }]);
});

t.test('a scheduler that parts from the reference is found, and told of with its operations', async (t) => {
  /** Its ids do not grow. */
  class Stuck extends ReferenceScheduler {
    override unregisterEvent(id: number): void {
      super.unregisterEvent(id);
      this.nextEventId = 1;
    }
  }
  const { difference } = await exhaust(first, 3, (poller, clock) => new Stuck(poller, clock));
  t.match(difference, /^(\{"kind":.*\n){3}reference:\n(.*\n)*scheduler:\n/);
});
