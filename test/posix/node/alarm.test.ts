// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Alarm } from '../../../src/posix/node/alarm.js';
import { MAX_TIMER_MS, nodeTimers } from '../../../src/posix/timers.js';
import { ManualTimers } from '../fixture.js';

function alarmFor(timers: ManualTimers): { alarm: Alarm; due: number[] } {
  const due: number[] = [];
  return { alarm: new Alarm(timers, () => due.push(timers.nowMs)), due };
}

t.test('it goes off once, at its deadline', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(1250);
  timers.pass(249);
  t.same(due, []);
  timers.pass(1);
  t.same(due, [1250]);
  timers.pass(10_000);
  t.same(due, [1250]);
});

t.test('fractions are rounded up, and a timer that fires too early is set again', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(1004.8);
  t.equal(timers.set[0]?.delayMs, 5);
  timers.pass(4.5, 0.5);
  t.same(due, [], 'it fired at 1004.5');
  t.equal(timers.set[0]?.delayMs, 1);
  timers.pass(10, 0.5);
  t.equal(due.length, 1);
  t.ok((due[0] as number) >= 1004.8, `not before its time, but at ${due[0]}`);
});

t.test('a deadline in the past is due at the next turn', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(0);
  t.same(due, []);
  timers.pass(1);
  t.same(due, [1001]);
});

t.test('a later deadline does not touch the timer; an earlier one resets it', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(2000);
  const first = timers.set[0];
  for (let n = 0; n < 100; n++) {
    alarm.clear();
    alarm.set(3000 + n);
  }
  t.same(timers.set, [first], 'one timer, never set again');
  timers.pass(1000);
  t.same(due, [], 'the timer went off at its old time and found nothing due');
  alarm.set(2100);
  timers.pass(100);
  t.same(due, [2100]);
});

t.test('beyond the longest delay of a Node timer it sleeps in stages', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(Infinity);
  t.equal(timers.set[0]?.delayMs, MAX_TIMER_MS);
  timers.pass(MAX_TIMER_MS);
  t.equal(timers.set.length, 1);
  const end = timers.nowMs + 2.5 * (MAX_TIMER_MS + 1);
  alarm.set(end);
  timers.pass(3 * MAX_TIMER_MS);
  t.same(due, [end]);
});

t.test('only a deadline that is set holds the process', async (t) => {
  const timers = new ManualTimers();
  const { alarm, due } = alarmFor(timers);
  alarm.set(5000);
  t.equal(timers.set[0]?.referenced, true);
  alarm.clear();
  alarm.clear();
  t.equal(timers.set[0]?.referenced, false);
  alarm.set(6000);
  t.equal(timers.set[0]?.referenced, true);
  alarm.clear();
  timers.pass(10_000);
  t.same(due, []);
  t.same(timers.set, []);
  alarm.set(timers.nowMs + 5);
  alarm.close();
  t.same(timers.set, []);
  alarm.close();
});

t.test("Node's timers: the clock moves forward, a cleared timer does not fire", async (t) => {
  const before = nodeTimers.now();
  await new Promise<void>((resolve) => {
    const cleared = nodeTimers.setTimeout(() => t.fail('a cleared timer fired'), 1);
    nodeTimers.setTimeout(resolve, 5);
    nodeTimers.clearTimeout(cleared);
  });
  t.ok(nodeTimers.now() > before);
});
