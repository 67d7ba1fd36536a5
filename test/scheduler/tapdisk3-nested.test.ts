// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { MAX_NESTED_WAITS, POLL_READ_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { MemoryPoller } from './memory-poller.js';
import { readable, tapdisk3InMemory } from './tapdisk3-fixture.js';

t.test(
  'a wait beside one that sleeps is -EDEADLK; one beside a callback that has not ended is within it',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory();
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
    scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
    poller.answers.push(readable(3, 4));
    const wait = scheduler.waitForEvents();
    t.equal(await scheduler.waitForEvents(), -errno.EDEADLK);
    await new Promise((resolve) => setImmediate(resolve));
    t.same(fired, ['a']);
    t.equal(await scheduler.waitForEvents(), 0);
    t.same(fired, ['a', 'b'], 'it drained what was pending (T-N1)');
    goOn();
    t.equal(await wait, 0);
    t.equal(poller.timeouts.length, 1);
  },
);

t.test(
  'the pass goes on only when a wait that a callback began is over, also if it did not wait for it',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory({}, new MemoryPoller(setImmediate));
    const answers: number[] = [];
    scheduler.registerEvent(
      POLL_READ_FD,
      3,
      0,
      named('a', () => {
        void scheduler.waitForEvents().then((answer) => answers.push(answer));
      }),
    );
    scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
    poller.answers.push(readable(3), readable(4));
    t.equal(await scheduler.waitForEvents(), 0);
    t.same(fired, ['a', 'b']);
    t.same(answers, [0]);
    t.equal(poller.timeouts.length, 2);
  },
);

t.test(
  'a callback that throws with a wait of its own under way fails its pass when that is over',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory({}, new MemoryPoller(setImmediate));
    scheduler.registerEvent(
      POLL_READ_FD,
      3,
      0,
      named('a', () => {
        void scheduler.waitForEvents();
        throw new Error('broken');
      }),
    );
    scheduler.registerEvent(POLL_READ_FD, 4, 0, named('b'));
    poller.answers.push(readable(3), readable(4));
    await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
    t.same(fired, ['a', 'b']);
  },
);

t.test('an error of a callback in a nested wait is thrown to the outer callback', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  const failures: string[] = [];
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', () =>
      scheduler.waitForEvents().then(
        (answer) => failures.push(`answered ${answer}`),
        (error: Error) => failures.push(error.message),
      ),
    ),
  );
  scheduler.registerEvent(
    POLL_READ_FD,
    4,
    0,
    named('b', () => {
      throw new Error('drained');
    }),
  );
  scheduler.registerEvent(POLL_READ_FD, 5, 0, named('c'));
  poller.answers.push(readable(3, 4, 5));
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(failures, ['drained']);
  t.same(fired, ['a', 'b'], 'c is found by the next wait');

  poller.answers.push(readable(3), new Error('no select'));
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(failures, ['drained', 'no select']);
});

t.test('a drain waits for callbacks that return promises', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  scheduler.registerEvent(
    POLL_READ_FD,
    3,
    0,
    named('a', async () => {
      await scheduler.waitForEvents();
      fired.push('a again');
    }),
  );
  scheduler.registerEvent(
    POLL_READ_FD,
    4,
    0,
    named('b', async () => {
      await Promise.resolve();
      fired.push('b again');
    }),
  );
  poller.answers.push(readable(3, 4));
  t.equal(await scheduler.waitForEvents(), 0);
  t.same(fired, ['a', 'b', 'b again', 'a again']);
});

t.test('nested waits end at a limit before the stack does', async (t) => {
  t.equal(MAX_NESTED_WAITS, 500);
  const { scheduler, poller } = tapdisk3InMemory();
  let calls = 0;
  const answers = new Set<number>();
  const deeper = async (): Promise<void> => {
    calls += 1;
    answers.add(await scheduler.waitForEvents());
  };
  // Half of the way down drains what is pending, without a turn of the event loop; the other half selects.
  const drained = MAX_NESTED_WAITS / 2;
  const fds = Array.from({ length: drained }, (_, n) => 3 + n);
  for (const fd of fds) scheduler.registerEvent(POLL_READ_FD, fd, 0, deeper);
  poller.answers.push(readable(...fds));
  for (let n = 0; n < MAX_NESTED_WAITS; n++) poller.answers.push(readable(3));
  t.equal(await scheduler.waitForEvents(), 0);
  t.same([...answers], [-errno.ELOOP, 0]);
  t.equal(calls, MAX_NESTED_WAITS);
});

t.test('an observer sees callbacks within callbacks end in the reverse order', async (t) => {
  const seen: string[] = [];
  const { scheduler, poller } = tapdisk3InMemory({
    observer: {
      registered: ({ id }) => seen.push(`registered ${id}`),
      unregistered: ({ id }) => seen.push(`unregistered ${id}`),
      entering: ({ id }, modes) => seen.push(`entering ${id} ${modes}`),
      left: ({ id }, modes) => seen.push(`left ${id} ${modes}`),
      sleeping: () => seen.push('sleeping'),
      woke: (answer) => seen.push(`woke ${answer}`),
    },
  });
  scheduler.registerEvent(POLL_READ_FD, 3, 0, async () => {
    scheduler.unregisterEvent(1);
    await scheduler.waitForEvents();
  });
  scheduler.registerEvent(TIMEOUT, -1, 0, () => {
    throw new Error('broken');
  });
  poller.answers.push(-errno.EINTR, readable(3), -errno.EBADF);
  await t.rejects(scheduler.waitForEvents(), { message: 'broken' });
  await scheduler.waitForEvents();
  t.same(seen, [
    'registered 1',
    'registered 2',
    'sleeping',
    'woke 1',
    `entering 1 ${POLL_READ_FD}`,
    'unregistered 1',
    `entering 2 ${TIMEOUT}`,
    `left 2 ${TIMEOUT}`,
    `left 1 ${POLL_READ_FD}`,
    'sleeping',
    `woke ${-errno.EBADF}`,
  ]);
});

t.test('an observer may omit methods', async (t) => {
  const { scheduler, fired, named } = tapdisk3InMemory({ observer: {} });
  const id = scheduler.registerEvent(TIMEOUT, -1, 0, named('a'));
  await scheduler.waitForEvents();
  scheduler.unregisterEvent(id);
  t.same(fired, ['a']);
});
