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

const WORD = 2n ** 32n;
/** The lowest 32 bits. */
const low = (value: bigint): bigint => ((value % WORD) + WORD) % WORD;
const shiftedRight = (value: bigint, bits: bigint): bigint => value >> bits;

/** What spreads the seed over the generator's state: a 32-bit mixer of multiplications and shifts. */
function mixed(word: bigint): bigint {
  let z = low((word ^ shiftedRight(word, 16n)) * 0x21f0aaadn);
  z = low((z ^ shiftedRight(z, 15n)) * 0x735a2d97n);
  return z ^ shiftedRight(z, 15n);
}

/** sfc32 in whole numbers of any size, after the words that are left out. */
function* sfc32(seed: number): Generator<number> {
  const [lower, upper] = [low(BigInt(seed)), low(BigInt(seed) >> 32n)];
  let a = mixed(low(lower + 0x9e3779b9n));
  let b = mixed(low(upper + 0x3c6ef372n));
  let c = mixed(lower ^ upper ^ 0x5851f42dn);
  for (let counter = 1n; ; counter++) {
    const sum = low(a + b + counter);
    a = b ^ shiftedRight(b, 9n);
    b = low(c + (c << 3n));
    c = low(low((c << 21n) | shiftedRight(c, 11n)) + sum);
    if (counter > 12n) yield Number(sum);
  }
}

t.test('the generator is sfc32, so that a seed names the same run on every machine', async (t) => {
  for (const seed of [0, 1, 5, -1, -77, 2 ** 31, 2 ** 32 + 9, Number.MAX_SAFE_INTEGER, -(2 ** 40)]) {
    const random = new Random(seed);
    const expected = sfc32(seed);
    const same = Array.from({ length: 200 }, () => random.word() === expected.next().value);
    t.ok(same.every(Boolean), `seed ${seed}`);
  }
});

t.test('a fraction has all 32 bits of a word, and a fork the next 53', async (t) => {
  const expected = sfc32(8);
  const next = (): number => expected.next().value as number;
  const random = new Random(8);
  t.equal(random.fraction(), next() / 2 ** 32);
  t.equal(random.fork().seed, next() * 2 ** 21 + (next() % 2 ** 21));
});
