// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { BitSet } from '../../../src/replication/disk/bit-set.js';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';

/** More than two pages, and the last one is not full. */
const SIZE = 70_001;
/** Where a word, a page or the set ends. */
const BORDERS = [0, 1, 31, 32, 63, 64, 32_767, 32_768, 32_799, 32_800, 65_535, 65_536, 70_000];

t.test('a bit is in the set once it was added, until it is deleted, and no other is', async (t) => {
  for (const bit of BORDERS) {
    const bits = new BitSet(SIZE);
    bits.add(bit);
    t.same([...bits], [bit]);
    t.same(
      BORDERS.filter((other) => bits.has(other)),
      [bit],
    );
    bits.add(bit);
    t.equal(bits.count, 1, 'adding it again changes nothing');
    bits.delete(bit);
    t.notOk(bits.has(bit));
    bits.delete(bit);
    t.equal(bits.count, 0, 'nor does deleting it again');
    t.same([...bits], []);
  }
});

t.test('the members ascend, whatever the order in which they were added', async (t) => {
  const bits = new BitSet(SIZE);
  bits.addAll(BORDERS.toReversed());
  t.same([...bits], BORDERS);
  t.equal(bits.count, BORDERS.length);
  t.equal(bits.size, SIZE);
});

t.test('the next member is the first one from a place on, that place included', async (t) => {
  const bits = new BitSet(SIZE);
  bits.addAll([5, 31, 32, 40_000]);
  const next = (from: number) => bits.next(from);
  t.same([0, 5, 6, 31, 32, 33, 40_000].map(next), [5, 5, 31, 31, 32, 40_000, 40_000]);
  t.same([40_001, 70_000, 70_001, 200_000].map(next), [-1, -1, -1, -1]);
  t.equal(new BitSet(SIZE).next(0), -1);
  bits.add(70_000);
  t.same([40_001, 70_000].map(next), [70_000, 70_000], 'the last one of all');
});

t.test('a range has both its ends; an empty one adds nothing', async (t) => {
  const bits = new BitSet(SIZE);
  bits.addRange(30, 33);
  t.same([...bits], [30, 31, 32, 33]);
  bits.addRange(50, 49);
  bits.addRange(33, 33);
  t.equal(bits.count, 4);
});

t.test('a set that is filled has every number below its limit, and no other', async (t) => {
  const bits = new BitSet(40);
  bits.fill();
  t.same([...bits], [...Array(40).keys()]);
  t.equal(bits.count, 40);
});

t.test('a set that was cleared is empty, and may be used again', async (t) => {
  const bits = new BitSet(SIZE);
  bits.addAll(BORDERS);
  bits.clear();
  t.same([bits.count, bits.next(0), [...bits]], [0, -1, []]);
  bits.add(32_768);
  t.same([bits.count, [...bits]], [1, [32_768]]);
});

t.test('it is what a set of numbers is, after whatever was done to it', async (t) => {
  const random = new Random(randomSeed(t));
  const bits = new BitSet(SIZE);
  const model = new Set<number>();
  const near = () => Math.min(random.pick(BORDERS) + random.integer(0, 40), SIZE - 1);
  for (let step = 0; step < 400; step++) {
    const bit = near();
    if (random.chance(0.4)) {
      bits.delete(bit);
      model.delete(bit);
    } else {
      bits.add(bit);
      model.add(bit);
    }
    const from = near();
    const sorted = [...model].sort((a, b) => a - b);
    if (bits.next(from) !== (sorted.find((member) => member >= from) ?? -1)) t.fail(`next from ${from}`);
    if (bits.count !== model.size || bits.has(from) !== model.has(from)) t.fail(`after step ${step}`);
  }
  t.same(
    [...bits],
    [...model].sort((a, b) => a - b),
  );
});
