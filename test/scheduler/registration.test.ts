// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { modeName, POLL_EXCEPT_FD, POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { schedulerInMemory } from './fixture.js';

const nothing = (): void => {};

t.test('numbers that are not 32-bit integers are refused with -EINVAL and use no id', async (t) => {
  const { scheduler } = schedulerInMemory();
  for (const bad of [
    Number.NaN,
    0.5,
    2 ** 31,
    -(2 ** 31) - 1,
    Number.POSITIVE_INFINITY,
    '1',
    undefined,
    null,
  ]) {
    t.equal(scheduler.registerEvent(TIMEOUT, -1, bad as number, nothing), -errno.EINVAL, `timeout ${bad}`);
    t.equal(
      scheduler.registerEvent(POLL_READ_FD, bad as number, 0, nothing),
      -errno.EINVAL,
      `descriptor ${bad}`,
    );
    t.equal(scheduler.registerEvent(bad as number, 3, 0, nothing), -errno.EINVAL, `mode ${bad}`);
  }
  t.equal(scheduler.registerEvent(TIMEOUT, -1, 2 ** 31 - 1, nothing), 1);
  t.equal(scheduler.registerEvent(TIMEOUT, -1, -(2 ** 31), nothing), 2);
});

t.test(
  'a callback that is no function, or a mode without a known bit, is refused with -EINVAL (E3)',
  async (t) => {
    const { scheduler } = schedulerInMemory();
    for (const bad of [undefined, null, {}, 'callback']) {
      t.equal(scheduler.registerEvent(POLL_READ_FD, 3, 0, bad as never), -errno.EINVAL);
    }
    t.equal(scheduler.registerEvent(0, 3, 0, nothing), -errno.EINVAL);
    t.equal(scheduler.registerEvent(0x10, 3, 0, nothing), -errno.EINVAL);
    t.equal(
      scheduler.registerEvent(0x10 | POLL_READ_FD, 3, 0, nothing),
      1,
      'an unknown bit beside a known one is let be',
    );
  },
);

t.test('a callback is given its id, the one mode that fired and the private data', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const calls: unknown[] = [];
  const callback = (...args: unknown[]): void => void calls.push(args);
  const data = { some: 'data' };
  scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 3, 0, callback, data);
  scheduler.registerEvent(POLL_EXCEPT_FD, 4, 0, callback);
  poller.answers.push([
    { fd: 3, conditions: POLL_WRITE_FD },
    { fd: 4, conditions: POLL_EXCEPT_FD },
  ]);
  t.equal(await scheduler.waitForEvents(), 2);
  t.same(calls, [
    [1, POLL_WRITE_FD, data],
    [2, POLL_EXCEPT_FD, undefined],
  ]);
});

t.test('unregistering anything but the id of a live event changes nothing (I3)', async (t) => {
  const { scheduler } = schedulerInMemory();
  const id = scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing);
  for (const other of [0, -1, id + 1, Number.NaN, 0.5, 2 ** 31 + id, '1' as unknown as number])
    scheduler.unregisterEvent(other);
  t.equal(scheduler.size, 1);
  scheduler.unregisterEvent(id);
  t.equal(scheduler.size, 0);
});

t.test('the poller gets the interest in a descriptor when it changes, and only then', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const told = (fd: number): number | undefined => {
    const conditions = poller.told.get(fd);
    poller.told.clear();
    return conditions;
  };
  const first = scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing);
  t.equal(told(3), POLL_READ_FD);
  const second = scheduler.registerEvent(POLL_READ_FD | POLL_WRITE_FD, 3, 0, nothing);
  t.equal(told(3), POLL_READ_FD | POLL_WRITE_FD);
  scheduler.unregisterEvent(scheduler.registerEvent(POLL_WRITE_FD, 3, 0, nothing));
  t.equal(told(3), undefined, 'WRITE was asked for before, and is still');
  scheduler.unregisterEvent(first);
  t.equal(told(3), undefined, 'READ is still asked for');
  scheduler.unregisterEvent(second);
  t.equal(told(3), 0);
  scheduler.registerEvent(TIMEOUT, 3, 0, nothing);
  t.equal(told(3), undefined, 'TIMEOUT asks nothing of the descriptor');
});

t.test('interest in descriptor numbers that are never open is allowed', async (t) => {
  const { scheduler, poller, fired, named } = schedulerInMemory();
  const ids = [-1, 2 ** 30].map((fd) => scheduler.registerEvent(POLL_READ_FD, fd, 0, named(String(fd))));
  const ready = [{ fd: 2 ** 30, conditions: POLL_READ_FD }];
  poller.answers.push(ready, ready);
  await scheduler.waitForEvents();
  await scheduler.waitForEvents();
  t.same(fired, [String(2 ** 30), String(2 ** 30)]);
  for (const id of ids) scheduler.unregisterEvent(id);
  t.same(
    [...poller.told],
    [
      [-1, 0],
      [2 ** 30, 0],
    ],
  );
});

t.test(
  'an event that replaces the last one on its descriptor in a callback may fire in that pass (P5)',
  async (t) => {
    for (const fd of [3, 2 ** 30]) {
      const { scheduler, poller, fired, named } = schedulerInMemory();
      const both = POLL_READ_FD | POLL_WRITE_FD;
      const replaced = scheduler.registerEvent(
        both,
        fd,
        0,
        named('replaced', () => {
          scheduler.unregisterEvent(replaced);
          scheduler.registerEvent(both, fd, 0, named('new'));
        }),
      );
      scheduler.registerEvent(TIMEOUT, -1, 1, nothing);
      poller.answers.push([{ fd, conditions: both }]);
      await scheduler.waitForEvents();
      t.same(fired, ['replaced', 'new'], `descriptor ${fd}`);
    }
  },
);

t.test('what a callback registers with a timeout of 0 fires in the same pass (P5)', async (t) => {
  const { scheduler, fired, named } = schedulerInMemory();
  const first = named('first', () => {
    if (fired.length === 1) scheduler.registerEvent(TIMEOUT, -1, 0, named('new'));
  });
  scheduler.registerEvent(TIMEOUT, -1, 0, first);
  scheduler.registerEvent(TIMEOUT, -1, 5, nothing);
  await scheduler.waitForEvents();
  t.same(fired, ['first', 'new']);
});

t.test('modes are named as in C, joined in the order of their bits', async (t) => {
  t.equal(modeName(0), '');
  t.equal(modeName(POLL_EXCEPT_FD), 'EXCEPT');
  t.equal(modeName(POLL_READ_FD | POLL_WRITE_FD | POLL_EXCEPT_FD | TIMEOUT), 'READ|WRITE|EXCEPT|TIMEOUT');
});

t.test('the events are listed in the order of registration (E1)', async (t) => {
  const { scheduler } = schedulerInMemory();
  scheduler.nextEventId = 7;
  t.equal(scheduler.nextEventId, 7);
  scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing);
  scheduler.registerEvent(TIMEOUT, -1, 5, nothing);
  t.match(
    [...scheduler.events()],
    [
      { id: 7, mode: POLL_READ_FD, fd: 3, timeoutSeconds: 0, deadlineSeconds: 1000 },
      { id: 8, mode: TIMEOUT, fd: -1, timeoutSeconds: 5, deadlineSeconds: 1005 },
    ],
  );
});
