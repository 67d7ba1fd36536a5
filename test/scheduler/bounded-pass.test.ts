// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { schedulerInMemory } from './fixture.js';

t.test('the bound must be an integer of at least 1', async (t) => {
  for (const bad of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => schedulerInMemory({ maxCallbacksPerPass: bad }), {
      name: 'RangeError',
      message: /maxCallbacksPerPass/,
    });
  }
});

t.test(
  'a pass of 10,000 callbacks is whole; one more is left to the next wait, with a warning that names the event',
  async (t) => {
    const { scheduler, warnings, fired, named } = schedulerInMemory();
    for (let n = 1; n <= 10_000; n++) scheduler.registerEvent(TIMEOUT, -1, 0, named(String(n)));
    await scheduler.waitForEvents();
    t.equal(fired.length, 10_000);
    t.same(warnings, []);
    scheduler.registerEvent(TIMEOUT, -1, 0, named('one more'));
    await scheduler.waitForEvents();
    t.equal(fired.length, 20_000);
    t.match(warnings, [
      { kind: 'pass-cut', event: { id: 10_001 }, message: /cut after 10000 callbacks, at event 10001/ },
    ]);
    await scheduler.waitForEvents();
    t.same(fired.slice(20_000), ['one more'], 'the pass takes up behind the event at which it was cut');
    await scheduler.waitForEvents();
    t.equal(fired[20_001], '1', 'and the one after that begins at the head');
  },
);

t.test('an event that keeps the pass busy leaves room for the others', async (t) => {
  const { scheduler, poller, clock, warnings, fired, named } = schedulerInMemory({ maxCallbacksPerPass: 3 });
  const endless = (): void => {
    named('endless')();
    scheduler.unregisterEvent(scheduler.registerEvent(POLL_WRITE_FD, 9, 0, () => {}));
  };
  scheduler.registerEvent(TIMEOUT, -1, 0, endless);
  scheduler.registerEvent(POLL_READ_FD, 3, 0, named('read'));
  scheduler.registerEvent(TIMEOUT, -1, 1, named('second'));
  const ready = [{ fd: 3, conditions: POLL_READ_FD }];
  poller.answers.push(ready, ready);
  await scheduler.waitForEvents();
  t.same(fired, ['endless', 'endless', 'endless']);
  t.match(warnings, [{ kind: 'pass-cut', event: { id: 1 } }]);
  clock.seconds += 1;
  fired.length = 0;
  t.equal(await scheduler.waitForEvents(), 1);
  t.same(fired, ['read', 'second']);
});

t.test(
  'a pass that takes up where the last was cut, and finds nothing there, begins at the head',
  async (t) => {
    const { scheduler, poller, fired, named } = schedulerInMemory({ maxCallbacksPerPass: 2 });
    const refresh = (): void =>
      scheduler.unregisterEvent(scheduler.registerEvent(POLL_WRITE_FD, 9, 0, () => {}));
    scheduler.registerEvent(POLL_READ_FD, 3, 0, named('read'));
    scheduler.registerEvent(TIMEOUT, -1, 0, named('endless', refresh));
    await scheduler.waitForEvents();
    t.same(fired, ['endless', 'endless']);
    fired.length = 0;
    poller.answers.push([{ fd: 3, conditions: POLL_READ_FD }]);
    await scheduler.waitForEvents();
    t.same(fired, ['read', 'endless']);
  },
);

t.test('the rest of a cut pass serves each ready condition after the cut once', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory({ maxCallbacksPerPass: 1 });
  for (const name of ['a', 'b', 'c'])
    scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 3, 0, named(name));
  const ready = [{ fd: 3, conditions: POLL_READ_FD | POLL_WRITE_FD }];
  poller.answers.push(ready, ready, ready, ready);
  for (let wait = 0; wait < 4; wait++) await scheduler.waitForEvents();
  t.same(fired, ['a', 'b', 'c', 'a']);
});

t.test('the rest of a cut pass in which a callback was called does not begin at the head', async (t) => {
  const { scheduler, poller, clock, fired, named } = schedulerInMemory({ maxCallbacksPerPass: 2 });
  scheduler.registerEvent(TIMEOUT, -1, 1, named('second'));
  scheduler.registerEvent(POLL_READ_FD, 3, 0, named('first'));
  scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 3, 0, named('cut'));
  scheduler.registerEvent(POLL_READ_FD, 4, 0, named('rest'));
  scheduler.registerEvent(POLL_READ_FD, 5, 0, named('idle'));
  const ready = [
    { fd: 3, conditions: POLL_READ_FD | POLL_WRITE_FD },
    { fd: 4, conditions: POLL_READ_FD },
  ];
  poller.answers.push(ready, ready);
  await scheduler.waitForEvents();
  clock.seconds += 1;
  await scheduler.waitForEvents();
  t.same(fired, ['first', 'cut', 'rest']);
});

t.test('a wait after a cut pass may find nothing at all', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory({ maxCallbacksPerPass: 1 });
  for (const fd of [3, 4]) scheduler.registerEvent(POLL_READ_FD, fd, 0, named(String(fd)));
  poller.answers.push([
    { fd: 3, conditions: POLL_READ_FD },
    { fd: 4, conditions: POLL_READ_FD },
  ]);
  await scheduler.waitForEvents();
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(fired, ['3']);
});
