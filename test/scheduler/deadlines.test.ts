// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { DeferredDeadlines } from '../../src/scheduler/deferred-deadlines.js';
import { Deadlines, NOT_IN_HEAP } from '../../src/scheduler/deadlines.js';

const timed = (deadline: number) => ({ deadline, heapIndex: NOT_IN_HEAP, sortedBy: 0 });

for (const [what, create] of [
  ['deadlines', () => new Deadlines<ReturnType<typeof timed>>()],
  ['deadlines that are put off', () => new DeferredDeadlines<ReturnType<typeof timed>>()],
] as const) {
  t.test(`${what}: what is due at a time, or was before it, comes out, the earliest first`, async (t) => {
    const deadlines = create();
    const events = [30, 10, 20, 10].map(timed);
    for (const event of events) deadlines.put(event);
    const due = (now: number): number[] => {
      const out: number[] = [];
      for (let event = deadlines.popDue(now); event; event = deadlines.popDue(now)) {
        if (event.heapIndex !== NOT_IN_HEAP) t.fail('it is out, and says that it is in');
        out.push(event.deadline);
      }
      return out;
    };
    t.same(due(9), []);
    t.same(due(10), [10, 10]);
    t.same(due(29), [20]);
    const [first] = events as [ReturnType<typeof timed>];
    first.deadline = 50;
    deadlines.put(first);
    t.same(due(49), [], 'it was put off');
    first.deadline = 40;
    deadlines.put(first);
    t.same(due(39), [], 'it was brought forward');
    deadlines.remove(first);
    deadlines.remove(first);
    t.equal(first.heapIndex, NOT_IN_HEAP);
    t.same(due(100), [], 'it was removed');
    const [, second, third] = events as [unknown, ReturnType<typeof timed>, ReturnType<typeof timed>];
    [second.deadline, third.deadline] = [60, 61];
    deadlines.put(second);
    deadlines.put(third);
    third.deadline = 59;
    deadlines.put(third);
    t.same(due(59), [59], 'it overtook another');
    t.same(due(60), [60]);
    first.deadline = 5;
    deadlines.put(first);
    t.same(due(5), [5]);
  });
}

t.test('the first deadline is the one that is now the earliest, whatever was put off', async (t) => {
  const deadlines = new DeferredDeadlines<ReturnType<typeof timed>>();
  t.equal(deadlines.first, undefined);
  const [early, late] = [timed(10), timed(20)];
  deadlines.put(early);
  deadlines.put(late);
  t.equal(deadlines.first, early);
  early.deadline = 30;
  deadlines.put(early);
  t.equal(early.sortedBy, 10, 'it keeps its place until it comes to the front');
  t.equal(deadlines.first, late);
  t.equal(early.sortedBy, 30);
  late.deadline = 35;
  deadlines.put(late);
  t.equal(deadlines.first, early);
  late.deadline = 29;
  deadlines.put(late);
  t.equal(deadlines.first, late);
});

t.test('the time to the first deadline is 0 when that is past, and is bounded (W2)', async (t) => {
  const toFirst = (deadlines: readonly number[], now: number, limit = 600): number => {
    const set = new Deadlines<ReturnType<typeof timed>>();
    for (const deadline of deadlines) set.put(timed(deadline));
    return set.secondsToFirst(() => now, limit);
  };
  const none = new Deadlines<ReturnType<typeof timed>>();
  const unread = (): number => {
    throw new Error('the clock is read only where there is a deadline');
  };
  t.equal(none.secondsToFirst(unread, 600), 600);
  t.equal(toFirst([130, 120], 100), 20);
  t.equal(toFirst([100], 100), 0);
  t.equal(toFirst([99], 100), 0);
  t.equal(toFirst([700], 100), 600);
  t.equal(toFirst([701], 100), 600);
  t.equal(toFirst([699], 100), 599);
  const [least, most] = [-(2 ** 31), 2 ** 31 - 1];
  t.equal(toFirst([most], most - 7), 7);
  t.equal(toFirst([0], most), 0);
  t.equal(toFirst([5], 0), 5);
  t.equal(toFirst([least + 5], most - 4), 10, 'it went round 32 bits');
  t.equal(toFirst([least + 500, least + 5], most - 4), 10);
  t.equal(toFirst([0], most + 2), 600, 'so did the difference');
  t.equal(toFirst([most], -1), 0, 'and here');
  t.equal(toFirst([3], -1), 4);
});

t.test('the time to the first deadline takes a look at that one only, however many there are', async (t) => {
  let looks = 0;
  const set = new Deadlines<ReturnType<typeof timed>>();
  for (let deadline = 0; deadline < 64; deadline++) {
    set.put({
      ...timed(0),
      get deadline() {
        looks += 1;
        return deadline;
      },
    });
  }
  for (const [now, seconds] of [
    [0, 0],
    [2 ** 31 - 1, 0],
    [2 ** 31, 0],
  ] as const) {
    looks = 0;
    t.equal(
      set.secondsToFirst(() => now, 600),
      seconds,
    );
    t.ok(looks < 10, `${looks} looks at ${now}`);
  }
});
