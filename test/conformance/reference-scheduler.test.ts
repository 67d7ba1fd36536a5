// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  type Implementation,
  inProcess,
  ownScheduler,
  reference,
  referenceScheduler,
  referenceTapdisk3Scheduler,
} from '../../src/conformance/implementation.js';
import { ReferenceTapdisk3Scheduler } from '../../src/conformance/reference-tapdisk3-scheduler.js';
import { recordVector } from '../../src/conformance/record.js';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { ScriptedClock } from '../../src/conformance/scripted-clock.js';
import { ScriptedPoller } from '../../src/conformance/scripted-poller.js';
import { microsecondClock } from '../../src/posix/clock.js';
import { TIMEOUT } from '../../src/scheduler/event.js';
import type { Tapdisk3Step } from '../../src/conformance/vector.js';
import { emptyVector, twoReaders } from './example-vectors.js';

/** A poller without answers, and its clock. */
function scripted(): { readonly poller: ScriptedPoller; readonly clock: ScriptedClock } {
  const clock = new ScriptedClock(1000);
  const poller = new ScriptedPoller(
    clock,
    () => {},
    (seconds) => seconds,
    -1,
  );
  return { poller, clock };
}

t.test('a maximum for the next wait is taken, whatever it is', async (t) => {
  const { poller, clock } = scripted();
  const scheduler = new ReferenceScheduler(poller, clock);
  t.equal(scheduler.setMaxTimeout(5), 0);
  t.equal(scheduler.setMaxTimeout(-5), 0);
});

/** What the registrations of some steps with two readers on tapdisk3 return. */
async function registrations(
  implementation: Implementation,
  steps: readonly Tapdisk3Step[],
): Promise<readonly (readonly unknown[])[] | undefined> {
  const vector = { ...emptyVector('ids'), dialect: 'tapdisk3' as const, events: twoReaders, steps };
  const { trace } = await recordVector(vector, implementation);
  return trace?.filter(([kind]) => kind === 'register');
}

t.test('the id of an event of tapdisk3 is free again after the wait that follows its end', async (t) => {
  const found = await registrations(inProcess(referenceScheduler, referenceTapdisk3Scheduler), [
    ['register', 'a'],
    ['unregister', 'a'],
    ['uuid', 1],
    ['wait', {}],
    ['register', 'b'],
  ]);
  t.same(found, [
    ['register', 'a', 1],
    ['register', 'b', 1],
  ]);
});

t.test(
  'the id of an event of tapdisk3 is not free after a wait that fails, be it the first one or a later one',
  async (t) => {
    for (const implementation of [reference, inProcess(ownScheduler)]) {
      const found = await registrations(implementation, [
        ['register', 'a'],
        ['unregister', 'a'],
        ['uuid', 1],
        ['wait', { errno: 'EBADF' }],
        ['register', 'b'],
        ['wait', {}],
        ['unregister', 'b'],
        ['uuid', 2],
        ['wait', { errno: 'EBADF' }],
        ['register', 'a'],
      ]);
      t.same(found, [
        ['register', 'a', 1],
        ['register', 'b', 2],
        ['register', 'a', 3],
      ]);
    }
  },
);

t.test('after the last id of tapdisk3, 2^31 - 1, comes 1', async (t) => {
  const { poller, clock } = scripted();
  const scheduler = new ReferenceTapdisk3Scheduler(poller, microsecondClock(clock));
  scheduler.nextEventId = 2 ** 31 - 1;
  const ids = [1, 2].map(() => scheduler.registerEvent(TIMEOUT, -1, 0, () => {}));
  t.same(ids, [2 ** 31 - 1, 1]);
});
