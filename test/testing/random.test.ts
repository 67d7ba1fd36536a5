// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random } from '../../src/testing/random.js';

function words(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.word());
}

t.test('the same seed gives the same sequence, another seed another', async (t) => {
  t.same(words(new Random(7), 50), words(new Random(7), 50));
  const firsts = new Set<string>();
  for (let seed = -500; seed < 500; seed++) firsts.add(words(new Random(seed), 2).join());
  firsts.add(words(new Random(Number.MAX_SAFE_INTEGER), 2).join());
  firsts.add(words(new Random(2 ** 32), 2).join());
  t.equal(firsts.size, 1002, 'no two of them begin alike');
});

t.test('a seed that is not a safe integer is refused', async (t) => {
  for (const seed of [0.5, Number.NaN, 2 ** 53]) t.throws(() => new Random(seed), { name: 'RangeError' });
});

t.test('draws keep to their ranges and reach their ends', async (t) => {
  const random = new Random(1);
  const counts = new Map<number, number>();
  for (let n = 0; n < 6000; n++) {
    const drawn = random.integer(-1, 4);
    counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    const between = random.between(2, 2.5);
    if (between < 2 || between >= 2.5) t.fail(`between gave ${between}`);
  }
  t.same(
    [...counts.keys()].toSorted((a, b) => a - b),
    [-1, 0, 1, 2, 3, 4],
  );
  for (const count of counts.values())
    t.ok(count > 850 && count < 1150, `each about as often: ${count} of 6000`);
});

t.test('a chance of 0 never occurs and draws nothing; a chance of 1 always occurs', async (t) => {
  const random = new Random(3);
  const same = new Random(3);
  for (let n = 0; n < 100; n++) t.notOk(random.chance(0));
  t.equal(random.word(), same.word());
  for (let n = 0; n < 100; n++) t.ok(random.chance(1));
});

t.test('picking reaches every item, and from none is an error', async (t) => {
  const random = new Random(4);
  const picked = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])));
  t.equal(picked.size, 3);
  t.throws(() => random.pick([]), { name: 'RangeError', message: /nothing to pick from/ });
});

t.test('a fork has its own sequence', async (t) => {
  const random = new Random(5);
  const same = new Random(5);
  const fork = random.fork();
  same.fork();
  words(fork, 20);
  t.same(words(random, 5), words(same, 5), 'which does not move on the one it came from');
  t.notSame(words(new Random(5).fork(), 5), words(new Random(5), 5));
});
