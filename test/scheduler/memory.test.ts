// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { POLL_READ_FD, POLL_WRITE_FD } from '../../src/scheduler/index.js';
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
      scheduler.unregisterEvent(scheduler.registerEvent(POLL_READ_FD, fd, 0, () => {}));
      tapdisk3.unregisterEvent(tapdisk3.registerEvent(POLL_READ_FD, fd, 0, () => {}));
      poller.told.clear();
      tapdisk3Poller.told.clear();
    }
    // tapdisk3 forgets an event that was unregistered when it looks at its events again.
    await tapdisk3.waitForEvents();
  });
  t.ok(kept < 3, `${kept.toFixed(1)} MiB`);
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
