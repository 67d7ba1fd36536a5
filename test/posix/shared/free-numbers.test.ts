// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fc from 'fast-check';
import t from 'tap';
import { FIRST_DESCRIPTOR, FreeNumbers } from '../../../src/posix/shared/free-numbers.js';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';

t.test('the lowest free number is always returned first', async (t) => {
  const steps = fc.array(fc.oneof(fc.constant('take' as const), fc.nat(40)), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const end = 30;
      const free = new FreeNumbers(end);
      const taken = new Set<number>();
      for (const step of sequence) {
        if (step === 'take') {
          let lowest: number | undefined = FIRST_DESCRIPTOR;
          while (taken.has(lowest)) lowest += 1;
          if (lowest >= end) lowest = undefined;
          if (free.take() !== lowest) return false;
          if (lowest !== undefined) taken.add(lowest);
        } else if (taken.size > 0) {
          const given = [...taken][step % taken.size] as number;
          taken.delete(given);
          free.give(given);
        }
      }
      return true;
    }),
    { numRuns: 500, verbose: true },
  );
  t.pass('500 sequences');
});

t.test('so it is where many are given back in any order, between others that are taken', async (t) => {
  const random = new Random(randomSeed(t));
  const free = new FreeNumbers(200);
  const isFree = Array.from({ length: 200 }, (_, number) => number >= FIRST_DESCRIPTOR);
  for (let step = 0; step < 5000; step++) {
    const taken = [...isFree.keys()].filter((number) => number >= FIRST_DESCRIPTOR && !isFree[number]);
    if (taken.length === 0 || random.chance(step % 1000 < 500 ? 0.6 : 0.4)) {
      const lowest = isFree.indexOf(true);
      const number = free.take();
      if (number !== (lowest < 0 ? undefined : lowest)) return void t.fail(`${number}, not ${lowest}`);
      if (number !== undefined) isFree[number] = false;
    } else {
      const given = random.pick(taken);
      free.give(given);
      isFree[given] = true;
    }
  }
  t.pass('5000 steps');
  return undefined;
});

t.test('no descriptor is left at the end', async (t) => {
  const free = new FreeNumbers(5);
  t.same([free.take(), free.take(), free.take()], [3, 4, undefined]);
  free.give(3);
  t.equal(free.take(), 3);
  t.equal(new FreeNumbers(3).take(), undefined);
});
