// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { AwaitedEvent } from '../../src/scheduler/awaited-event.js';
import { POLL_READ_FD, TIMEOUT } from '../../src/scheduler/event.js';
import { schedulerInMemory } from './fixture.js';

t.test('setting an event replaces the one before, and clearing leaves none', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const event = new AwaitedEvent(scheduler);
  t.equal(event.isSet, false);
  t.equal(
    event.set(POLL_READ_FD, 3, 0, () => t.fail('was replaced')),
    0,
  );
  const fired: number[] = [];
  t.equal(
    event.set(POLL_READ_FD, 4, 0, (mode) => fired.push(mode)),
    0,
  );
  t.same(
    [...scheduler.events()].map(({ fd }) => fd),
    [4],
  );
  poller.answers.push([
    { fd: 3, conditions: POLL_READ_FD },
    { fd: 4, conditions: POLL_READ_FD },
  ]);
  await scheduler.waitForEvents();
  t.same(fired, [POLL_READ_FD]);
  t.equal(event.isSet, true, 'it goes on until it is cleared');
  event[Symbol.dispose]();
  event.clear();
  t.same([event.isSet, [...scheduler.events()]], [false, []]);
});

t.test('a timer fires once, and may be set again by its callback', async (t) => {
  const { scheduler, clock } = schedulerInMemory();
  const timer = new AwaitedEvent(scheduler);
  let fired = 0;
  timer.setTimer(2, () => {
    fired += 1;
    t.equal(timer.isSet, false);
    if (fired === 1) timer.setTimer(1, () => (fired += 10));
  });
  clock.seconds += 2;
  await scheduler.waitForEvents();
  t.equal(fired, 1);
  clock.seconds += 1;
  await scheduler.waitForEvents();
  t.equal(fired, 11);
  t.same([...scheduler.events()], []);
});

t.test('a wait has a time limit, unless that is 0', async (t) => {
  const { scheduler, clock } = schedulerInMemory();
  const event = new AwaitedEvent(scheduler);
  const fired: number[] = [];
  t.equal(
    event.setWithin(POLL_READ_FD, 3, 2, (mode) => fired.push(mode)),
    0,
  );
  clock.seconds += 2;
  await scheduler.waitForEvents();
  t.same(fired, [TIMEOUT]);
  const modes = (): number[] => [...scheduler.events()].map(({ mode }) => mode);
  event.setWithin(POLL_READ_FD, 3, 0, () => t.fail('has no limit'));
  t.same(modes(), [POLL_READ_FD]);
  event.setWithin(POLL_READ_FD, 3, 1, () => {});
  t.same(modes(), [POLL_READ_FD | TIMEOUT]);
});

t.test('an event that cannot be registered leaves nothing awaited', async (t) => {
  const { scheduler } = schedulerInMemory();
  const event = new AwaitedEvent(scheduler);
  event.set(TIMEOUT, -1, 1, () => {});
  t.equal(
    event.set(0, -1, 1, () => {}),
    -errno.EINVAL,
  );
  t.same([event.isSet, [...scheduler.events()]], [false, []]);
});

t.test("a purpose is the name of what the scheduler's tables show as called", async (t) => {
  const { scheduler } = schedulerInMemory();
  const names = () => [...scheduler.events()].map(({ callbackName }) => callbackName);
  const event = new AwaitedEvent(scheduler, 'retry of requests');
  event.setTimer(1, () => {});
  t.strictSame(names(), ['retry of requests']);
  event.set(POLL_READ_FD, 3, 0, () => {});
  t.strictSame(names(), ['retry of requests']);
  event.clear();
  new AwaitedEvent(scheduler).setTimer(1, () => {});
  scheduler.registerEvent(TIMEOUT, -1, 1, function heartbeat() {});
  scheduler.registerEvent(TIMEOUT, -1, 1, () => {});
  t.strictSame(names(), ['', 'heartbeat', '']);
});

t.test('only what is registered is unregistered, and once', async (t) => {
  const unregistered: number[] = [];
  let next = 6;
  const event = new AwaitedEvent({
    registerEvent: () => ++next,
    unregisterEvent: (id) => void unregistered.push(id),
    setMaxTimeout: () => 0,
  });
  event.clear();
  t.same(unregistered, []);
  event.setTimer(1, () => {});
  event.clear();
  event.clear();
  event[Symbol.dispose]();
  t.same(unregistered, [7]);
  event.setTimer(1, () => {});
  event.setTimer(2, () => {});
  event[Symbol.dispose]();
  t.same(unregistered, [7, 8, 9]);
});
