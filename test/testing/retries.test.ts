// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { EventQueue } from '../../src/testing/event-queue.js';
import { Retries } from '../../src/testing/retries.js';

/** The retries of an endpoint whose every try is lost again, and when each was made, in seconds. */
function lostAgain(firstPause: number) {
  const queue = new EventQueue();
  const retries = new Retries(queue);
  const at: number[] = [];
  const lose = (): void =>
    retries.pause(firstPause, queue.nowMicroseconds, () => {
      at.push(queue.nowMicroseconds / 1e6);
      lose();
    });
  lose();
  return { queue, retries, at };
}

t.test('pauses double from one try to the next, up to two minutes', async (t) => {
  const { queue, retries, at } = lostAgain(25e6);
  t.equal(retries.count, 0);
  while (at.length < 5) queue.advance(1e12);
  t.same(at, [25, 75, 175, 295, 415]);
  t.equal(retries.count, 5);
});

t.test('pauses are short again once something has arrived', async (t) => {
  const { queue, retries, at } = lostAgain(1e6);
  while (at.length < 3) queue.advance(1e12);
  retries.succeed();
  t.equal(retries.count, 0);
  while (at.length < 6) queue.advance(1e12);
  // The pause after the third try was fixed before.
  t.same(at, [1, 3, 7, 15, 17, 21]);
});

t.test('a pause counts from a moment, which may be longer ago than it lasts', async (t) => {
  const queue = new EventQueue();
  queue.advance(10e6);
  const retries = new Retries(queue);
  const at: number[] = [];
  const again = (): void => void at.push(queue.nowMicroseconds);
  retries.pause(3e6, 8e6, again);
  t.ok(retries.isPending);
  retries.pause(1, 8e6, again);
  t.equal(queue.size, 1, 'what is pending already stays as it is');
  queue.advance(1e12);
  t.same(at, [11e6]);
  t.notOk(retries.isPending);
  retries.pause(3e6, 1e6, again);
  queue.advance(1e12);
  t.same(at, [11e6, 11e6], 'at once');
});

t.test('nothing is pending any more when something is tried again, or was stopped', async (t) => {
  const queue = new EventQueue();
  const retries = new Retries(queue);
  let pending: boolean | undefined;
  retries.after(5, () => {
    pending = retries.isPending;
  });
  queue.advance(10);
  t.equal(pending, false);
  t.equal(retries.count, 0, 'what was not a try does not count');
  retries.pause(5, queue.nowMicroseconds, () => {});
  queue.advance(100);
  t.equal(retries.count, 1);
  retries.pause(5, queue.nowMicroseconds, () => t.fail('it was stopped'));
  retries.stop();
  t.notOk(retries.isPending);
  t.equal(retries.count, 0);
  t.equal(queue.size, 0);
});
