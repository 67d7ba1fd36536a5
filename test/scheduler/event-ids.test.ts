// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fc from 'fast-check';
import t from 'tap';
import { POLL_READ_FD } from '../../src/scheduler/index.js';
import { EventIds } from '../../src/scheduler/event-ids.js';
import { RegisteredEvent } from '../../src/scheduler/registered-event.js';
import { schedulerInMemory } from './fixture.js';

const nothing = (): void => {};

t.test('ids that come, go and wrap around at random are those of a plain set', async (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: 'register' as const, at: 0 }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('unregister' as const), at: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('next' as const),
        at: fc.constantFrom(1, 2, 17, 2 ** 31 - 2),
      }),
    },
  );
  const property = fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
    const { scheduler } = schedulerInMemory();
    const live: number[] = [];
    let next = 1;
    for (const { kind, at } of steps) {
      if (kind === 'next') {
        next = at;
        scheduler.nextEventId = at;
      } else if (kind === 'register') {
        while (live.includes(next)) next = next === 2 ** 31 - 1 ? 1 : next + 1;
        const id = scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing);
        if (id !== next) return false;
        live.push(id);
        next = next === 2 ** 31 - 1 ? 1 : next + 1;
      } else if (live.length > 0) {
        const [id] = live.splice(at % live.length, 1);
        scheduler.unregisterEvent(id as number);
      }
      if (scheduler.size !== live.length) return false;
    }
    return [...scheduler.events()].every(({ id }, index) => id === live[index]);
  });
  const result = fc.check(property, { numRuns: 200 });
  t.not(result.failed, true, `seed ${result.seed}, path ${result.counterexamplePath ?? 'none'}`);
});

t.test('many events can be live at once, and all can be removed', async (t) => {
  const { scheduler } = schedulerInMemory();
  const ids = Array.from({ length: 5000 }, () => scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing));
  t.equal(new Set(ids).size, 5000);
  for (const id of ids) scheduler.unregisterEvent(id);
  t.equal(scheduler.size, 0);
  t.same([...scheduler.events()], []);
});

t.test('no id is returned while all are held (I2), and one again when one is freed', async (t) => {
  const ids = new EventIds(3);
  const hold = (id: number): void =>
    ids.add(new RegisteredEvent(id, id, POLL_READ_FD, 3, 0, 0, nothing, undefined));
  for (const id of [1, 2, 3]) {
    t.equal(ids.draw(), id);
    hold(id);
  }
  t.equal(ids.draw(), 0);
  ids.delete(2);
  t.equal(ids.draw(), 2);
});
