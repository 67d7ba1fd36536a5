// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { EventQueue } from '../../src/testing/event-queue.js';
import { Random } from '../../src/testing/random.js';

t.test('events happen by time, those of one microsecond in order of scheduling', async (t) => {
  const queue = new EventQueue();
  const random = new Random(1);
  const asked: { at: number; number: number }[] = [];
  const happened: { at: number; number: number }[] = [];
  for (let number = 0; number < 500; number++) {
    const at = random.integer(0, 50);
    asked.push({ at, number });
    queue.after(at, () => happened.push({ at: queue.nowMicroseconds, number }));
  }
  while (queue.advance(Infinity));
  t.same(
    happened,
    asked.toSorted((a, b) => a.at - b.at || a.number - b.number),
  );
  t.equal(queue.size, 0);
});

t.test(
  'a cancelled event does not happen; cancelling again, or one that happened, does nothing',
  async (t) => {
    const queue = new EventQueue();
    const happened: string[] = [];
    const a = queue.after(1, () => happened.push('a'));
    const b = queue.after(2, () => happened.push('b'));
    const c = queue.after(3, () => happened.push('c'));
    queue.cancel(b);
    queue.cancel(b);
    queue.advance(1);
    queue.cancel(a);
    queue.cancel(undefined);
    t.equal(queue.size, 1);
    queue.advance(10);
    t.same(happened, ['a', 'c']);
    queue.cancel(c);
    t.equal(queue.size, 0);
  },
);

t.test('without events time advances to the limit', async (t) => {
  const queue = new EventQueue();
  queue.after(100, () => t.fail('too early'));
  t.notOk(queue.advance(99));
  t.equal(queue.nowMicroseconds, 99);
  t.notOk(queue.advance(50));
  t.equal(queue.nowMicroseconds, 99, 'and never back');
});

t.test('a fraction of a microsecond is rounded up, so that nothing happens early', async (t) => {
  const queue = new EventQueue();
  queue.after(1.2, () => {});
  queue.advance(Infinity);
  t.equal(queue.nowMicroseconds, 2);
});

t.test('a limit within a microsecond changes no order: time is in whole microseconds', async (t) => {
  const queue = new EventQueue();
  const happened: string[] = [];
  queue.advance(0.75);
  t.equal(queue.nowMicroseconds, 1);
  queue.after(8.5, () => happened.push('first'));
  queue.advance(4.25);
  t.equal(queue.nowMicroseconds, 5);
  queue.after(4.5, () => happened.push('second'));
  while (queue.advance(9.75));
  t.same(happened, ['first', 'second'], 'both are due at 10, within the limit');
  t.equal(queue.nowMicroseconds, 10);
});

t.test('an event cannot be scheduled in the past', async (t) => {
  const queue = new EventQueue();
  for (const bad of [-1, Number.NaN]) t.throws(() => queue.after(bad, () => {}), { name: 'RangeError' });
});
