// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import {
  INFINITE,
  POLL_READ_FD,
  POLL_WRITE_FD,
  type Tapdisk3Scheduler,
  TIMEOUT,
} from '../../src/scheduler/index.js';
import { readable, tapdisk3InMemory } from './tapdisk3-fixture.js';

/** What waitThen tells, and how. */
function outcome(scheduler: Tapdisk3Scheduler): Promise<readonly ['answered' | 'failed', unknown]> {
  return new Promise((resolve) => {
    scheduler.waitThen(
      (answer) => resolve(['answered', answer]),
      (error) => resolve(['failed', error]),
    );
  });
}

t.test('waitThen is a wait of tapdisk3 that ends with a call', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  const broken = new Error('broken');
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () => {
      if (fired.length === 2) throw broken;
    }),
  );
  poller.answers.push(readable(3), readable(3), -errno.ENOMEM, broken, []);
  t.same(await outcome(scheduler), ['answered', 0]);
  t.same(await outcome(scheduler), ['failed', broken]);
  scheduler.setMaxTimeout(7_000_000);
  t.same(await outcome(scheduler), ['answered', -errno.ENOMEM]);
  t.same(await outcome(scheduler), ['failed', broken]);
  t.same(fired, ['a', 'a']);
  const [first, second] = [outcome(scheduler), outcome(scheduler)];
  t.same(await second, ['answered', -errno.EDEADLK]);
  t.same(await first, ['answered', 0]);
  t.same(poller.timeouts, [0, 600, 7, 7, 7], 'a cap lasts until a select succeeds (T-W7)');
});

t.test(
  'without a promise from poller or callbacks a wait is over in the turn in which select returns',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory();
    scheduler.registerEvent(POLL_READ_FD, 3, 0, named('a'));
    poller.answers.push(readable(3));
    let answered = false;
    scheduler.waitThen(
      () => {
        answered = true;
      },
      () => {},
    );
    await Promise.resolve();
    t.same([answered, fired], [true, ['a']]);
  },
);

t.test('a wait rejects with a callback’s error; the rest of that pass is found again', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  let broken = true;
  const gone = scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () => {
      if (!broken) return;
      scheduler.unregisterEvent(later);
      throw new Error('broken');
    }),
  );
  scheduler.registerEvent(TIMEOUT, -1, 0, named('due'));
  scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
  const later = scheduler.registerEvent(TIMEOUT, -1, 0, named('gone'));
  poller.answers.push(readable(3, 4), readable(3, 4));
  await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
  t.same(fired, ['a']);
  broken = false;
  scheduler.unregisterEvent(gone);
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(fired, ['a', 'due', 'b']);
  t.equal(scheduler.size, 2);
});

t.test('an error of a callback fails the wait in the turn in which select returns', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory();
  const broken = new Error('broken');
  scheduler.registerEvent(POLL_READ_FD, 3, 0, () => {
    throw broken;
  });
  poller.answers.push(readable(3));
  const failures: unknown[] = [];
  scheduler.waitThen(
    () => {},
    (error) => failures.push(error),
  );
  await Promise.resolve();
  t.same(failures, [broken]);
});

t.test('nothing is left of a pass that an error ended', async (t) => {
  for (const fails of ['at once', 'later']) {
    const { scheduler, poller, fired, named } = tapdisk3InMemory();
    let broken = true;
    scheduler.registerEvent(POLL_READ_FD, 3, 0, () => {
      if (!broken) return undefined;
      broken = false;
      scheduler.unregisterEvent(due);
      if (fails === 'at once') throw new Error('broken');
      return Promise.reject(new Error('broken'));
    });
    scheduler.registerEvent(POLL_READ_FD, 4, 0, named('ready'));
    const due = scheduler.registerEvent(TIMEOUT, -1, 0, named('due'));
    poller.answers.push(readable(3, 4), [], readable(4));
    await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
    await scheduler.waitForEvents();
    t.same([fired, poller.timeouts], [[], [0, 600]], 'an event that went shortens no sleep');
    await scheduler.waitForEvents();
    t.same(fired, ['ready']);
  }
});

t.test('a cap of 0 keeps the next wait from sleeping (T-W7)', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory();
  await scheduler.waitForEvents();
  t.equal(scheduler.setMaxTimeout(0), 0);
  await scheduler.waitForEvents();
  t.same(poller.timeouts, [0, 0]);
});

t.test('a callback may return a promise: the pass waits until it settles', async (t) => {
  const { scheduler, poller, clock, fired, named } = tapdisk3InMemory();
  let goOn: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () => gate),
  );
  scheduler.registerEvent(
    POLL_READ_FD,
    4,
    0,
    named('b', () => Promise.resolve()),
  );
  scheduler.registerEvent(POLL_READ_FD, 5, 0, named('c'));
  poller.answers.push(readable(3, 4, 5));
  const wait = scheduler.waitForEvents();
  await new Promise((resolve) => setImmediate(resolve));
  t.same(fired, ['a']);
  clock.microseconds += 5_000_000;
  goOn();
  t.equal(await wait, 0);
  t.same(fired, ['a', 'b', 'c']);
});

t.test('a rejected promise ends the wait, as a callback that throws does', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () => Promise.reject(new Error('broken'))),
  );
  scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
  poller.answers.push(readable(3, 4), readable(4));
  await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(fired, ['a', 'b']);
});

t.test(
  'a select that fails for a descriptor that is not open names the events on it, once each',
  async (t) => {
    const { scheduler, poller, warnings, fired, named } = tapdisk3InMemory();
    scheduler.registerEvent(TIMEOUT, -1, 0, named('due'));
    scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD | TIMEOUT, 7, 2_500_000, named('bad'));
    poller.bad = [7, 8];
    poller.answers.push(-errno.EBADF);
    t.equal(await scheduler.waitForEvents(), -errno.EBADF);
    t.match(warnings, [
      {
        kind: 'bad-descriptor',
        event: { id: 2, fd: 7 },
        message:
          'select failed: descriptor 7 of event 2 (READ|WRITE|TIMEOUT, descriptor 7, timeout 2.5 s) is not open',
      },
    ]);
    t.same([warnings.length, fired], [1, []]);
  },
);

t.test('a scheduler without a warning handler fails in the same way', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory({ onWarning: undefined as never });
  poller.bad = [7];
  poller.answers.push(-errno.EBADF);
  scheduler.registerEvent(POLL_READ_FD, 7, 0, () => {});
  t.equal(await scheduler.waitForEvents(), -errno.EBADF);
});

t.test(
  'what changes while select sleeps shortens the sleep, if its deadline is nearer (B5 of the C)',
  async (t) => {
    const { scheduler, poller, clock, fired, named } = tapdisk3InMemory();
    const masked = scheduler.registerEvent(TIMEOUT, -1, 5_000_000, named('masked'));
    const reopen = scheduler.registerEvent(TIMEOUT, -1, INFINITE, named('reopen'));
    const gone = scheduler.registerEvent(TIMEOUT, -1, INFINITE, named('gone'));
    scheduler.maskEvent(masked, true);
    await scheduler.waitForEvents();
    poller.duringSelect = () => {
      clock.microseconds += 1_000_000;
      scheduler.registerEvent(TIMEOUT, -1, 9_000_000, named('later'));
      for (const timeout of [9_000_000, 9_500_000])
        scheduler.registerEvent(TIMEOUT, -1, timeout, named('no earlier'));
      scheduler.maskEvent(masked, false);
      scheduler.setMaxTimeout(3_000_000);
      scheduler.setMaxTimeout(INFINITE);
      scheduler.registerEvent(POLL_READ_FD, 3, 0, named('read'));
      scheduler.unregisterEvent(gone);
      t.equal(scheduler.setEventTimeout(gone, 0), 0, 'a dead one is found, and wakes nobody');
      t.same(poller.shortened, [9, 4, 3]);
      scheduler.maskEvent(reopen, true);
      t.equal(scheduler.setEventTimeout(reopen, 0), 0, 'nor does a masked one');
      t.same(poller.shortened, [9, 4, 3]);
      scheduler.setEventTimeout(reopen, INFINITE);
      scheduler.maskEvent(reopen, false);
      t.equal(scheduler.setEventTimeout(reopen, 0), 0);
    };
    poller.answers.push(readable(3));
    t.equal(await scheduler.waitForEvents(), 0);
    t.same(poller.shortened, [9, 4, 3, 0]);
    t.same(fired, ['reopen', 'read']);
  },
);

t.test('after EINTR select sleeps for what is left, also of a sleep that was shortened', async (t) => {
  const { scheduler, poller, clock } = tapdisk3InMemory();
  scheduler.registerEvent(TIMEOUT, -1, 10_000_000, () => {});
  poller.answers.push([], -errno.EINTR, -errno.EINTR, -errno.EINTR, -errno.EINTR);
  await scheduler.waitForEvents();
  const steps = [
    () => (clock.microseconds += 2_000_000),
    () => scheduler.setMaxTimeout(5_000_000),
    () => (clock.microseconds -= 7_000_000),
    () => (clock.microseconds += 7_000_000),
  ];
  poller.duringSelect = () => {
    steps.shift()?.();
  };
  await scheduler.waitForEvents();
  t.same(poller.timeouts, [0, 10, 8, 5, 5, 0]);
});

t.test(
  'an event that goes or is masked while select sleeps is not called, though it was found ready',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory();
    const gone = scheduler.registerEvent(POLL_READ_FD, 3, 0, named('gone'));
    const masked = scheduler.registerEvent(POLL_READ_FD, 4, 0, named('masked'));
    poller.duringSelect = () => {
      scheduler.unregisterEvent(gone);
      scheduler.maskEvent(masked, true);
    };
    poller.answers.push(readable(3, 4, 99));
    t.equal(await scheduler.waitForEvents(), 0);
    t.same(fired, []);
  },
);
