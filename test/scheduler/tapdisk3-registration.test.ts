// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import {
  INFINITE,
  POLL_EXCEPT_FD,
  POLL_READ_FD,
  POLL_WRITE_FD,
  type Tapdisk3Callback,
  TIMEOUT,
} from '../../src/scheduler/index.js';
import { readable, tapdisk3InMemory } from './tapdisk3-fixture.js';

const nothing = (): void => {};

t.test('registering refuses a missing mode or callback, and numbers beyond C’s range', async (t) => {
  const { scheduler } = tapdisk3InMemory();
  const refused: [string, number][] = [
    ['mode 0', scheduler.registerEvent(0, 3, 0, nothing)],
    ['an unknown bit', scheduler.registerEvent(0x10, 3, 0, nothing)],
    ['no callback', scheduler.registerEvent(POLL_READ_FD, 3, 0, undefined as unknown as () => void)],
    ['a fraction of a mode', scheduler.registerEvent(1.5, 3, 0, nothing)],
    ['a descriptor of 2^31', scheduler.registerEvent(POLL_READ_FD, 2 ** 31, 0, nothing)],
    ['half a microsecond', scheduler.registerEvent(TIMEOUT, -1, 0.5, nothing)],
    ['no number', scheduler.registerEvent(TIMEOUT, -1, Number.NaN, nothing)],
    ['a deadline that is not exact', scheduler.registerEvent(TIMEOUT, -1, Number.MAX_SAFE_INTEGER, nothing)],
  ];
  for (const [what, answer] of refused) t.equal(answer, -errno.EINVAL, what);
  t.equal(scheduler.size, 0);
  t.equal(scheduler.registerEvent(POLL_READ_FD | 0x10, 3, INFINITE, nothing), 1, 'and no id is used up');
});

t.test('events have the name of the function that they call', async (t) => {
  const { scheduler } = tapdisk3InMemory();
  scheduler.registerEvent(TIMEOUT, -1, 1, function heartbeat() {});
  scheduler.registerEvent(TIMEOUT, -1, 1, () => {});
  t.strictSame(
    [...scheduler.events()].map(({ callbackName }) => callbackName),
    ['heartbeat', ''],
  );
});

t.test('events are described in seconds, in the order of registration', async (t) => {
  const { scheduler } = tapdisk3InMemory();
  scheduler.registerEvent(POLL_READ_FD, 3, INFINITE, nothing);
  const gone = scheduler.registerEvent(POLL_READ_FD, 4, 0, nothing);
  scheduler.registerEvent(TIMEOUT, -1, 1_500_000, nothing);
  scheduler.registerEvent(TIMEOUT, -1, 0, nothing);
  t.equal(scheduler.size, 4);
  scheduler.unregisterEvent(gone);
  t.equal(scheduler.size, 3, 'the dead one is not counted');
  t.match(
    [...scheduler.events()],
    [
      { id: 1, mode: POLL_READ_FD, fd: 3, timeoutSeconds: Infinity, deadlineSeconds: Infinity },
      { id: 3, mode: TIMEOUT, fd: -1, timeoutSeconds: 1.5, deadlineSeconds: 1001.5 },
      { id: 4, mode: TIMEOUT, fd: -1, timeoutSeconds: 0, deadlineSeconds: 1000 },
    ],
  );
});

t.test('a registration for which no id is free is -EBUSY (T-I4)', async (t) => {
  const { scheduler } = tapdisk3InMemory({ maxEventId: 2 });
  t.same(
    [1, 2].map(() => scheduler.registerEvent(TIMEOUT, -1, 0, nothing)),
    [1, 2],
  );
  t.equal(scheduler.registerEvent(TIMEOUT, -1, 0, nothing), -errno.EBUSY);
  scheduler.unregisterEvent(1);
  t.equal(scheduler.registerEvent(TIMEOUT, -1, 0, nothing), -errno.EBUSY, 'the dead hold theirs (T-G1)');
  await scheduler.waitForEvents();
  t.equal(scheduler.registerEvent(TIMEOUT, -1, 0, nothing), 1);
  t.equal(scheduler.nextEventId, 2);
});

t.test('an id counter that is set to 0 or below goes on at 1 (T-I3)', async (t) => {
  for (const next of [0, -1]) {
    const { scheduler } = tapdisk3InMemory();
    scheduler.nextEventId = next;
    t.equal(scheduler.registerEvent(TIMEOUT, -1, 0, nothing), 1);
  }
});

t.test('the dead hold their ids until an outermost wait succeeds (T-G1)', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory({ maxEventId: 2 });
  const register = (callback: Tapdisk3Callback = nothing): number =>
    scheduler.registerEvent(POLL_READ_FD, 3, 0, callback);
  const ids: number[] = [];
  const first = register(async () => {
    scheduler.unregisterEvent(second);
    await scheduler.waitForEvents();
    ids.push(register());
  });
  const second = register();
  poller.answers.push(readable(3));
  await scheduler.waitForEvents();
  t.same(ids, [-errno.EBUSY], 'not until a nested wait succeeds');
  t.equal(register(), second);
  for (const attempt of ['first', 'second']) {
    scheduler.unregisterEvent(first);
    poller.answers.push(-errno.ENOMEM);
    t.equal(await scheduler.waitForEvents(), -errno.ENOMEM);
    t.equal(register(), -errno.EBUSY, `nor the ${attempt} one that fails`);
  }
  await scheduler.waitForEvents();
  t.equal(register(), first);
});

t.test('a timeout is set for no event without an id (T-S1)', async (t) => {
  const { scheduler } = tapdisk3InMemory();
  t.equal(scheduler.setEventTimeout(0, 1), -errno.EINVAL);
  t.equal(scheduler.setEventTimeout(7, 1), -errno.ENOENT);
});

t.test('descriptor 0 is asked for, and none below is (T-W3)', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory();
  for (const fd of [0, -1]) scheduler.registerEvent(POLL_READ_FD, fd, 0, nothing);
  t.same([...poller.told], [[0, POLL_READ_FD]]);
});

t.test('a timeout or cap that is not an integer is -EINVAL, and changes nothing', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory();
  const id = scheduler.registerEvent(TIMEOUT, -1, 7, nothing);
  await scheduler.waitForEvents();
  for (const bad of [0.5, Number.NaN, 2 ** 53]) {
    t.equal(scheduler.setMaxTimeout(bad), -errno.EINVAL);
    t.equal(scheduler.setEventTimeout(id, bad), -errno.EINVAL);
  }
  await scheduler.waitForEvents();
  t.same(poller.timeouts, [0, 7 / 1e6]);
});

t.test('the poller’s interest follows as events come, go, are masked and unmasked', async (t) => {
  const { scheduler, poller } = tapdisk3InMemory();
  const first = scheduler.registerEvent(POLL_READ_FD | POLL_EXCEPT_FD, 3, 0, nothing);
  const second = scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 3, 0, nothing);
  const told = (): number | undefined => {
    const conditions = poller.told.get(3);
    poller.told.clear();
    return conditions;
  };
  t.equal(told(), POLL_READ_FD | POLL_WRITE_FD | POLL_EXCEPT_FD);
  scheduler.unregisterEvent(scheduler.registerEvent(POLL_WRITE_FD, 3, 0, nothing));
  t.equal(told(), undefined, 'what is asked for already changes nothing');
  scheduler.maskEvent(first, true);
  t.equal(told(), POLL_READ_FD | POLL_WRITE_FD);
  scheduler.maskEvent(second, true);
  t.equal(told(), 0);
  scheduler.maskEvent(first, false);
  t.equal(told(), POLL_READ_FD | POLL_EXCEPT_FD);
  scheduler.unregisterEvent(second);
  t.equal(told(), undefined, 'a masked one that goes changes nothing');
  scheduler.maskEvent(second, false);
  t.equal(told(), undefined, 'nor does unmasking it when it is dead');
});

t.test(
  'of many events on one descriptor the first unmasked one fires, whatever was masked before',
  async (t) => {
    const { scheduler, poller, fired, named } = tapdisk3InMemory();
    const ids = Array.from({ length: 9 }, (_, n) =>
      scheduler.registerEvent(POLL_READ_FD, 3, 0, named(String(n))),
    );
    for (const id of [...ids, ...ids.slice(0, 3)].toReversed()) scheduler.maskEvent(id, true);
    for (const n of [7, 4, 8, 5]) scheduler.maskEvent(ids[n] as number, false);
    for (let wait = 0; wait < 3; wait++) {
      poller.answers.push(readable(3));
      await scheduler.waitForEvents();
      scheduler.maskEvent(ids[Number(fired.at(-1))] as number, true);
    }
    t.same(fired, ['4', '5', '7']);
  },
);

t.test('an unused descriptor number costs nothing once nobody asks for it', async (t) => {
  const { scheduler, poller, fired, named } = tapdisk3InMemory();
  const far = 2 ** 30;
  const id = scheduler.registerEvent(POLL_READ_FD, far, 0, named('far'));
  poller.answers.push(readable(far), readable(far));
  await scheduler.waitForEvents();
  scheduler.unregisterEvent(id);
  await scheduler.waitForEvents();
  t.same(fired, ['far']);
  t.equal(poller.told.get(far), 0);
});
