// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { FewWrites } from '../../../src/replication/disk/few-writes.js';

/** A checkpoint of so many writes; which of them should not wait. */
function checkpoint(few: FewWrites, writes: number): boolean[] {
  const found = Array.from({ length: writes }, () => few.wrote());
  few.closed();
  return found;
}

t.test('writes wait until there was a checkpoint of eight or fewer', async (t) => {
  const few = new FewWrites();
  t.notOk(few.isDue);
  t.same(checkpoint(few, 9), Array<boolean>(9).fill(false));
  t.same(checkpoint(few, 8), Array<boolean>(8).fill(false));
  t.same(checkpoint(few, 1), [true]);
});

t.test('after a small checkpoint the first eight writes do not wait', async (t) => {
  const few = new FewWrites();
  checkpoint(few, 1);
  t.same(checkpoint(few, 10), [...Array<boolean>(8).fill(true), false, false]);
  t.same(checkpoint(few, 1), [false], 'it was a large one');
});

t.test('a checkpoint without writes says nothing', async (t) => {
  const few = new FewWrites();
  checkpoint(few, 1);
  checkpoint(few, 0);
  t.same(checkpoint(few, 9).slice(0, 1), [true]);
  checkpoint(few, 0);
  t.same(checkpoint(few, 1), [false]);
});

t.test('a checkpoint that is dropped says nothing, and its writes do not count', async (t) => {
  const few = new FewWrites();
  checkpoint(few, 1);
  for (let write = 0; write < 20; write++) few.wrote();
  t.notOk(few.isDue);
  few.dropped();
  t.ok(few.isDue);
  t.same(checkpoint(few, 8), Array<boolean>(8).fill(true));
});
