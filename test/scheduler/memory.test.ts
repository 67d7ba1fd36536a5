// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { EventIds } from '../../src/scheduler/event-ids.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../src/scheduler/index.js';
import { schedulerInMemory } from './fixture.js';
import { tapdisk3InMemory } from './tapdisk3-fixture.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Megabytes that are still held after something was done. */
async function held(action: () => Promise<void>): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await action();
  collectGarbage();
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}

const ROUNDS = 50_000;
/** Numbers that no descriptor has. */
const FIRST_UNUSUAL = 2 ** 21;

t.test('nothing is kept for an event on an unused descriptor number', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const { scheduler: tapdisk3, poller: tapdisk3Poller } = tapdisk3InMemory();
  const kept = await held(async () => {
    for (let fd = FIRST_UNUSUAL; fd < FIRST_UNUSUAL + ROUNDS; fd++) {
      for (const mode of [POLL_READ_FD, TIMEOUT])
        scheduler.unregisterEvent(scheduler.registerEvent(mode, fd, 0, () => {}));
      tapdisk3.unregisterEvent(tapdisk3.registerEvent(POLL_READ_FD, fd, 0, () => {}));
      poller.told.clear();
      tapdisk3Poller.told.clear();
    }
    // tapdisk3 forgets an event that was unregistered when it looks at its events again.
    await tapdisk3.waitForEvents();
  });
  t.ok(kept < 3, `${kept.toFixed(1)} MiB`);
});

t.test('nor for one that went in a callback, with a condition left that it was not called for', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const both = POLL_READ_FD | POLL_WRITE_FD;
  const kept = await held(async () => {
    for (let fd = FIRST_UNUSUAL; fd < FIRST_UNUSUAL + ROUNDS; fd += 500) {
      const fds = Array.from({ length: 500 }, (_, index) => fd + index);
      for (const each of fds) scheduler.registerEvent(both, each, 0, (id) => scheduler.unregisterEvent(id));
      poller.answers.push(fds.map((each) => ({ fd: each, conditions: both })));
      await scheduler.waitForEvents();
      poller.told.clear();
    }
  });
  t.equal(scheduler.size, 0);
  t.ok(kept < 3, `${kept.toFixed(1)} MiB`);
});

t.test('the table of ids shrinks again', async (t) => {
  const ids = new EventIds<{ readonly id: number }>();
  const kept = await held(async () => {
    for (let id = 1; id <= 2 ** 17; id++) ids.add({ id });
    for (let id = 1; id <= 2 ** 17; id++) ids.delete(id);
  });
  t.equal(ids.size, 0);
  t.ok(kept < 1, `${kept.toFixed(1)} MiB`);
});

t.test('passes in which events were ready for more modes than they fired leave nothing', async (t) => {
  const { scheduler, poller } = schedulerInMemory();
  const both = POLL_READ_FD | POLL_WRITE_FD;
  const fds = Array.from({ length: 200 }, (_, index) => index + 3);
  for (const fd of fds) scheduler.registerEvent(both, fd, 0, () => {});
  const ready = fds.map((fd) => ({ fd, conditions: both }));
  const pass = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      poller.answers.push(ready);
      await scheduler.waitForEvents();
      poller.timeouts.length = 0;
    }
  };
  await pass(100);
  const kept = await held(async () => await pass(2500));
  t.ok(kept < 3, `${kept.toFixed(1)} MiB`);
});
