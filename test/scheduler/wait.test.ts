// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import {
  POLL_EXCEPT_FD,
  POLL_READ_FD,
  POLL_WRITE_FD,
  Scheduler,
  TIMEOUT,
} from '../../src/scheduler/index.js';
import { schedulerInMemory } from './fixture.js';
import { MemoryPoller } from './memory-poller.js';

const nothing = (): void => {};
const readable = (...fds: number[]) => fds.map((fd) => ({ fd, conditions: POLL_READ_FD }));

t.test('a wait within a callback, or beside another one, returns -EDEADLK', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const answers: Promise<number>[] = [];
  scheduler.registerEvent(POLL_READ_FD, 3, 0, () => answers.push(scheduler.waitForEvents()));
  poller.answers.push(readable(3));
  const wait = scheduler.waitForEvents();
  t.equal(await scheduler.waitForEvents(), -errno.EDEADLK);
  t.equal(await wait, 1);
  t.same(await Promise.all(answers), [-errno.EDEADLK]);
  t.equal(await scheduler.waitForEvents(), 0);
});

/** What waitThen tells, and how. */
function outcome(scheduler: Scheduler): Promise<readonly ['answered' | 'failed', unknown]> {
  return new Promise((resolve) => {
    scheduler.waitThen(
      (answer) => resolve(['answered', answer]),
      (error) => resolve(['failed', error]),
    );
  });
}

t.test('waitThen is a wait that ends with a call', async (t) => {
  const poller = new MemoryPoller();
  const scheduler = new Scheduler({ poller, clock: { now: () => 1000 } });
  const fired: number[] = [];
  const broken = new Error('broken');
  scheduler.registerEvent(POLL_READ_FD, 3, 0, (id) => {
    fired.push(id);
    if (fired.length === 2) throw broken;
  });
  poller.answers.push(readable(3), readable(3), -errno.EINTR, broken, []);
  t.same(await outcome(scheduler), ['answered', 1]);
  t.same(await outcome(scheduler), ['failed', broken]);
  t.same(await outcome(scheduler), ['answered', -errno.EINTR]);
  scheduler.setMaxTimeout(7);
  t.same(await outcome(scheduler), ['failed', broken]);
  t.same(fired, [1, 1]);
  const [first, second] = [outcome(scheduler), outcome(scheduler)];
  t.same(await second, ['answered', -errno.EDEADLK]);
  t.same(await first, ['answered', 0]);
  t.same(poller.timeouts, [0, 600, 600, 7, 600], 'a cap lasts for one wait, failed or not');
});

t.test('a wait rejects with a callback’s error, and the next one continues', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory();
  let broken = true;
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () => {
      if (broken) throw new Error('broken');
    }),
  );
  scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
  scheduler.registerEvent(TIMEOUT, -1, 0, named('c'));
  poller.answers.push(readable(3, 4), readable(3, 4));
  await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
  t.same(fired, ['a']);
  broken = false;
  t.equal(await scheduler.waitForEvents(), 2);
  t.same(fired, ['a', 'a', 'b', 'c']);
});

t.test('what was ready in a pass that a callback’s error ended is not in the next one', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory();
  const steps = [
    (): void => {
      throw new Error('broken');
    },
    (): void => void scheduler.registerEvent(POLL_READ_FD, 4, 0, named('new')),
  ];
  scheduler.registerEvent(POLL_READ_FD, 3, 0, () => steps.shift()?.());
  scheduler.registerEvent(POLL_READ_FD, 4, 0, named('old'));
  poller.answers.push(readable(3, 4), readable(3));
  await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
  t.equal(await scheduler.waitForEvents(), 1);
  t.same([fired, scheduler.size], [[], 3]);
});

t.test('a wait rejects with the poller’s error, and the next one continues', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  poller.answers.push(new Error('no select'));
  await t.rejects(scheduler.waitForEvents(), { message: 'no select' });
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(poller.timeouts, [0, 600], 'the cap is 600 after a select that failed, too (W3)');
});

t.test(
  'a select that fails for a descriptor that is not open names the events that are registered on it',
  async (t) => {
    const { scheduler, poller, warnings, fired, named } = schedulerInMemory();
    scheduler.registerEvent(TIMEOUT, -1, 0, named('due'));
    scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 7, 0, named('bad'));
    poller.bad = [7, 8];
    poller.answers.push(-errno.EBADF, -errno.EINTR);
    t.equal(await scheduler.waitForEvents(), -errno.EBADF);
    t.match(warnings, [
      { kind: 'bad-descriptor', event: { id: 2, fd: 7 }, message: /descriptor 7 of event 2 .*not open/ },
    ]);
    t.equal(warnings.length, 1);
    t.same(fired, [], 'nothing is run (W5)');
    t.equal(await scheduler.waitForEvents(), -errno.EINTR);
    t.equal(warnings.length, 1, 'another error names nothing');
  },
);

t.test('a scheduler without a warning handler fails in the same way', async (t) => {
  const poller = new MemoryPoller();
  poller.bad = [7];
  poller.answers.push(-errno.EBADF);
  const scheduler = new Scheduler({ poller, clock: { now: () => 0 } });
  scheduler.registerEvent(POLL_READ_FD, 7, 0, nothing);
  t.equal(await scheduler.waitForEvents(), -errno.EBADF);
});

t.test('an event registered while the wait sleeps shortens the sleep, and may fire in it', async (t) => {
  const { scheduler, poller, clock, fired, named } = schedulerInMemory();
  await scheduler.waitForEvents();
  poller.duringSelect = () => {
    scheduler.registerEvent(TIMEOUT, -1, 2, named('two'));
    scheduler.registerEvent(TIMEOUT, -1, -2, named('past'));
    scheduler.registerEvent(POLL_READ_FD, 3, 0, named('read'));
    clock.seconds += 2;
  };
  poller.answers.push(readable(3));
  t.equal(await scheduler.waitForEvents(), 1);
  t.same(poller.shortened, [2, 0], 'a descriptor shortens nothing');
  t.same(fired, ['two', 'past', 'read']);
});

t.test(
  'a cap set while the wait sleeps shortens the sleep; one that is no number of seconds is -EINVAL',
  async (t) => {
    const { scheduler, poller } = schedulerInMemory();
    poller.duringSelect = () => {
      t.equal(scheduler.setMaxTimeout(4), 0);
      t.equal(scheduler.setMaxTimeout(-4), 0);
      for (const bad of [Number.NaN, 0.5, 2 ** 31]) t.equal(scheduler.setMaxTimeout(bad), -errno.EINVAL);
    };
    await scheduler.waitForEvents();
    t.same(poller.shortened, [4]);
  },
);

t.test(
  'an event unregistered while the wait sleeps is not called, though its descriptor was found ready',
  async (t) => {
    const { scheduler, poller, fired, named } = schedulerInMemory();
    const id = scheduler.registerEvent(POLL_READ_FD, 3, 0, named('gone'));
    poller.duringSelect = () => scheduler.unregisterEvent(id);
    poller.answers.push(readable(3));
    t.equal(await scheduler.waitForEvents(), 1);
    t.same(fired, []);
  },
);

t.test('what is ready for an event that a callback unregisters goes to the next one that asks', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory();
  scheduler.registerEvent(
    POLL_READ_FD,
    9,
    0,
    named('first', () => scheduler.unregisterEvent(gone)),
  );
  const gone = scheduler.registerEvent(POLL_READ_FD, 3, 0, named('gone'));
  scheduler.registerEvent(POLL_READ_FD, 3, 0, named('next'));
  poller.answers.push([...readable(9), ...readable(3)]);
  t.equal(await scheduler.waitForEvents(), 2);
  t.same(fired, ['first', 'next']);
});

t.test(
  'an event that a callback registers fires by what was ready, unless an earlier one uses that up (P5)',
  async (t) => {
    const { scheduler, poller, fired, named } = schedulerInMemory();
    const register = (fd: number): void =>
      void scheduler.registerEvent(POLL_READ_FD, fd, 0, named(`new ${fd}`));
    const gone = scheduler.registerEvent(POLL_READ_FD, 3, 0, named('gone'));
    scheduler.registerEvent(
      POLL_READ_FD,
      9,
      0,
      named('first', () => [3, 4].map(register)),
    );
    scheduler.registerEvent(POLL_WRITE_FD, 3, 0, named('write'));
    scheduler.registerEvent(POLL_READ_FD, 4, 0, named('old 4'));
    poller.duringSelect = () => scheduler.unregisterEvent(gone);
    poller.answers.push(readable(3, 4, 9));
    t.equal(await scheduler.waitForEvents(), 3);
    t.same(fired, ['first', 'old 4', 'new 3']);
  },
);

t.test(
  'deadlines that went round 32 bits are due, and their differences still come out right (E6)',
  async (t) => {
    const { scheduler, poller, clock, fired, named } = schedulerInMemory();
    await scheduler.waitForEvents();
    clock.seconds = 2 ** 31 - 5;
    scheduler.registerEvent(TIMEOUT, -1, 3, named('before'));
    scheduler.registerEvent(TIMEOUT, -1, 30, named('around'));
    await scheduler.waitForEvents();
    t.same(fired, ['around']);
    t.equal(poller.timeouts.at(-1), 3);
    clock.seconds = -10;
    scheduler.registerEvent(TIMEOUT, -1, 7, named('negative'));
    await scheduler.waitForEvents();
    t.equal(poller.timeouts.at(-1), 0, 'a deadline more than 2^31 s ahead wraps to the past');
  },
);

t.test(
  'an observer sees registrations, callbacks and their ends in order, also when one throws',
  async (t) => {
    const seen: unknown[] = [];
    const { scheduler, poller } = schedulerInMemory({
      observer: {
        registered: ({ id }) => seen.push(['registered', id]),
        unregistered: ({ id }) => seen.push(['unregistered', id]),
        entering: ({ id }, mode) => seen.push(['entering', id, mode]),
        left: ({ id }, mode) => seen.push(['left', id, mode]),
        sleeping: () => seen.push(['sleeping']),
        woke: (answer) => seen.push(['woke', answer]),
      },
    });
    const id = scheduler.registerEvent(POLL_EXCEPT_FD, 3, 0, () => {
      scheduler.unregisterEvent(id);
      throw new Error('broken');
    });
    poller.answers.push([{ fd: 3, conditions: POLL_EXCEPT_FD }], -errno.EBADF, new Error('no poll'));
    await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
    await scheduler.waitForEvents();
    await t.rejects(scheduler.waitForEvents(), { message: 'no poll' });
    t.same(seen, [
      ['registered', 1],
      ['sleeping'],
      ['woke', 1],
      ['entering', 1, POLL_EXCEPT_FD],
      ['unregistered', 1],
      ['left', 1, POLL_EXCEPT_FD],
      ['sleeping'],
      ['woke', -errno.EBADF],
      ['sleeping'],
    ]);
  },
);

t.test('an observer may omit methods', async (t) => {
  const { scheduler, fired, named } = schedulerInMemory({ observer: {} });
  const id = scheduler.registerEvent(TIMEOUT, -1, 0, named('a'));
  await scheduler.waitForEvents();
  scheduler.unregisterEvent(id);
  t.same(fired, ['a']);
});

t.test('a poller that throws is treated as one that rejects', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const answering = poller.select.bind(poller);
  poller.select = () => {
    throw new Error('no select');
  };
  await t.rejects(scheduler.waitForEvents(), { message: 'no select' });
  poller.select = answering;
  t.equal(await scheduler.waitForEvents(), 0);
});

t.test(
  'a descriptor that is ready though nothing was ever asked of it is counted, and calls nobody',
  async (t) => {
    const { scheduler, poller, fired, named } = schedulerInMemory();
    scheduler.registerEvent(POLL_READ_FD, 3, 0, named('asked'));
    poller.answers.push(readable(9, 3));
    t.equal(await scheduler.waitForEvents(), 2);
    t.same(fired, ['asked']);
  },
);
