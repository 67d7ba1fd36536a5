// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { type EventRegistrar, POLL_READ_FD, SecondsRegistrar, TIMEOUT } from '../../src/scheduler/index.js';
import { readable, tapdisk3InMemory } from './tapdisk3-fixture.js';

t.test(
  "a part that counts seconds runs on tapdisk3's scheduler; a negative timeout is due at once",
  async (t) => {
    const { scheduler, poller, fired } = tapdisk3InMemory();
    const named = (name: string) => () => fired.push(name);
    const registrar = new SecondsRegistrar(scheduler);
    registrar.registerEvent(TIMEOUT, -1, 7, named('later'));
    registrar.registerEvent(TIMEOUT, -1, -7, named('at once'));
    const gone = registrar.registerEvent(POLL_READ_FD, 3, 0, named('gone'));
    let data: unknown;
    registrar.registerEvent(POLL_READ_FD, 4, 0, (...call) => void (data = call), 'data');
    registrar.unregisterEvent(gone);
    poller.answers.push(readable(3, 4));
    t.equal(await scheduler.waitForEvents(), 0);
    t.same(fired, ['at once']);
    t.same(data, [4, POLL_READ_FD, 'data']);
    scheduler.unregisterEvent(2);
    await scheduler.waitForEvents();
    t.equal(registrar.setMaxTimeout(2), 0);
    t.equal(registrar.setMaxTimeout(-1), 0);
    await scheduler.waitForEvents();
    t.same(poller.timeouts, [0, 7, 2]);
  },
);

t.test('a number of seconds beyond 32 bits is -EINVAL', async (t) => {
  const registrar = new SecondsRegistrar(tapdisk3InMemory().scheduler);
  for (const bad of [0.5, Number.NaN, 2 ** 31]) {
    t.equal(registrar.setMaxTimeout(bad), -errno.EINVAL);
    t.equal(
      registrar.registerEvent(TIMEOUT, -1, bad, () => {}),
      -errno.EINVAL,
    );
  }
  t.equal(
    registrar.registerEvent(TIMEOUT, -1, -(2 ** 31), () => {}),
    1,
  );
});

t.test(
  'a scheduler that counts microseconds does not compile as a part of one that counts seconds',
  async (t) => {
    const { scheduler } = tapdisk3InMemory();
    // @ts-expect-error -- a timeout of 1 would be a microsecond
    const wrong: EventRegistrar = scheduler;
    t.equal(
      wrong.registerEvent(TIMEOUT, -1, 1, () => {}),
      1,
    );
    t.match([...scheduler.events()], [{ timeoutSeconds: 1e-6 }]);
  },
);
