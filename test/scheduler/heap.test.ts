// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Heap } from '../../src/scheduler/heap.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';

interface Entry {
  key: number;
  /** As the heap reports it; undefined before it is in. */
  index: number | undefined;
}

function numberHeap() {
  return new Heap<Entry>(
    (a, b) => a.key < b.key,
    (entry, index) => {
      entry.index = index;
    },
  );
}

/** What is wrong with the heap's order or with what it has reported, if anything. */
function fault({ entries }: Heap<Entry>): string | undefined {
  for (const [index, entry] of entries.entries()) {
    const parent = entries[Math.floor((index - 1) / 2)];
    if (index > 0 && parent !== undefined && entry.key < parent.key) return `${index} is before its parent`;
    if (entry.index !== index) return `${index} was reported at ${entry.index}`;
  }
  return undefined;
}

t.test('entries come and go at random, and each is known where it is', async (t) => {
  const random = new Random(randomSeed(t));
  const heap = numberHeap();
  const inside = new Set<Entry>();
  const pick = (): Entry => random.pick([...inside]);
  for (let step = 0; step < 3000; step++) {
    const kind = inside.size === 0 ? 0 : random.integer(0, inside.size > 40 ? 5 : 8);
    if (kind > 3 || inside.size === 0) {
      const entry: Entry = { key: random.integer(0, 99), index: undefined };
      heap.push(entry);
      inside.add(entry);
    } else if (kind === 0) {
      const least = Math.min(...[...inside].map(({ key }) => key));
      const smallest = heap.smallest;
      const popped = heap.pop();
      if (popped === undefined || popped !== smallest) return void t.fail('not the smallest');
      if (popped.key !== least || popped.index !== -1) return void t.fail(`${popped.key} for ${least}`);
      inside.delete(popped);
    } else if (kind === 1) {
      const entry = pick();
      heap.removeAt(entry.index ?? -1);
      if (entry.index !== -1) return void t.fail('a removal was not reported');
      inside.delete(entry);
    } else {
      const entry = pick();
      entry.key = random.integer(0, 99);
      heap.updateAt(entry.index ?? -1);
    }
    const wrong = fault(heap);
    if (wrong !== undefined) return void t.fail(`step ${step}: ${wrong}`);
    if (heap.entries.length !== inside.size)
      return void t.fail(`step ${step}: ${heap.entries.length} entries`);
  }
  const keys: number[] = [];
  for (let entry = heap.pop(); entry; entry = heap.pop()) keys.push(entry.key);
  t.same(
    keys,
    keys.toSorted((a, b) => a - b),
  );
  t.equal(heap.smallest, undefined);
  t.same(heap.entries, []);
  return undefined;
});
