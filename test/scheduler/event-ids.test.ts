// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fc from 'fast-check';
import t from 'tap';
import { errno } from '../../src/posix/errno.js';
import { POLL_READ_FD } from '../../src/scheduler/index.js';
import { EventIds } from '../../src/scheduler/event-ids.js';
import { RegisteredEvent } from '../../src/scheduler/registered-event.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';
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

t.test('a counter that was set to 0 gives no id once, and 1 then (I2)', async (t) => {
  const { scheduler } = schedulerInMemory();
  scheduler.nextEventId = 0;
  t.equal(scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing), -errno.EBUSY);
  t.equal(scheduler.registerEvent(POLL_READ_FD, 3, 0, nothing), 1);
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

t.test('events are found by their ids, however many come and go, and no other id has one', async (t) => {
  const random = new Random(randomSeed(t));
  const ids = new EventIds<{ readonly id: number }>();
  const live = new Map<number, { readonly id: number }>();
  // Many have a home together: multiples of a power of two beside numbers in a row.
  const draw = (): number => (random.chance(0.5) ? random.integer(1, 300) : 4096 * random.integer(1, 300));
  for (const most of [300, 3, 40, 0]) {
    for (let step = 0; step < 600; step++) {
      const id = draw();
      if (live.has(id)) {
        ids.delete(id);
        live.delete(id);
      } else if (live.size < most) {
        const event = { id };
        ids.add(event);
        live.set(id, event);
      }
      if (ids.size !== live.size) return void t.fail(`size ${ids.size}, not ${live.size}`);
      if (ids.get(id) !== live.get(id)) return void t.fail(`id ${id}`);
    }
    while (live.size > most) {
      const [id] = live.keys() as unknown as Iterable<number>;
      ids.delete(id as number);
      live.delete(id as number);
    }
    for (let id = 1; id <= 300; id++) {
      for (const each of [id, 4096 * id])
        if (ids.get(each) !== live.get(each)) return void t.fail(`id ${each} with ${live.size} events`);
    }
  }
  t.equal(ids.size, 0);
  return undefined;
});
