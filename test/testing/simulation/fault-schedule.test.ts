// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random, SimulatedWorld } from '../../../src/testing/index.js';
import { scheduleFaults } from '../../../src/testing/simulation/fault-schedule.js';
import { randomSeed } from '../../random.js';

/** A world in which faults are scheduled, and when each has begun and ended. */
function scheduled(seed: number, maxFaults: number) {
  const world = new SimulatedWorld();
  const start = world.nowSeconds;
  const now = (): number => world.nowSeconds - start;
  const faults: { readonly began: number; ended: number | undefined; undone: number }[] = [];
  const kind = () => {
    const fault = { began: now(), ended: undefined as number | undefined, undone: 0 };
    faults.push(fault);
    return () => {
      fault.ended = now();
      fault.undone += 1;
    };
  };
  const undoAll = scheduleFaults({ world }, new Random(seed), [kind], {
    maxFaults,
    begins: [2, 5],
    shortSeconds: 1,
  });
  return { world, faults, undoAll };
}

t.test('there are as many faults as allowed at most, and each begins and ends in its time', async (t) => {
  const seed = randomSeed(t);
  const counts = new Set<number>();
  for (let run = 0; run < 100; run++) {
    const { world, faults } = scheduled(seed + run, 3);
    await world.run(1.9);
    t.equal(faults.length, 0);
    await world.run(20);
    counts.add(faults.length);
    for (const { began, ended = Infinity, undone } of faults) {
      t.ok(began >= 2 && began <= 5, `began at ${began}`);
      t.ok(ended >= began && ended <= began + 10.001, `from ${began} to ${ended}`);
      t.equal(undone, 1);
    }
  }
  t.same(counts, new Set([0, 1, 2, 3]));
  const { world, faults } = scheduled(seed, 0);
  await world.run(20);
  t.same(faults, []);
});

t.test('what has begun is undone once, when all is, or at its end', async (t) => {
  const seed = randomSeed(t);
  for (let run = 0; run < 20; run++) {
    const { world, faults, undoAll } = scheduled(seed + run, 5);
    await world.run(5.001);
    undoAll();
    undoAll();
    for (const { undone } of faults) t.equal(undone, 1);
    await world.run(20);
    for (const { undone } of faults) t.equal(undone, 1);
  }
});
