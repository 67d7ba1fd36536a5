// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SpareBuffers } from '../../src/posix/spare-buffers.js';

t.test('what was given back is used again, for about the same length', async (t) => {
  const spare = new SpareBuffers(1 << 20);
  const first = spare.take(5000);
  t.equal(first.length, 5000);
  first.fill(7);
  spare.give(first);
  t.equal(spare.spareBytes, 8192);
  const second = spare.take(8192);
  t.equal(second.length, 8192);
  t.equal(second.buffer, first.buffer);
  t.equal(second[4999], 7);
  t.equal(spare.spareBytes, 0);
  t.not(spare.take(8192).buffer, second.buffer, 'nobody else has what is in use');
  spare.give(second);
  t.not(spare.take(9000).buffer, second.buffer, 'one that is too short is of no use');
  t.equal(spare.take(1).length, 1);
});

t.test('no more is kept than it may', async (t) => {
  const spare = new SpareBuffers(10_000);
  const all = [spare.take(4096), spare.take(4096), spare.take(4096)];
  for (const one of all) spare.give(one);
  t.equal(spare.spareBytes, 8192);
  spare.give(spare.take(100_000));
  t.equal(spare.spareBytes, 8192);
});

t.test('as much is kept as it may be, and nothing once it was cleared', async (t) => {
  const spare = new SpareBuffers(8192);
  const all = [spare.take(4096), spare.take(4096)];
  for (const one of all) spare.give(one);
  t.equal(spare.spareBytes, 8192);
  spare.clear();
  t.equal(spare.spareBytes, 0);
  const next = spare.take(4096);
  t.notOk(all.some(({ buffer }) => buffer === next.buffer));
});

t.test('bytes are copied', async (t) => {
  const target = new Uint8Array(4);
  new SpareBuffers().copy(target, Uint8Array.of(1, 2), 1);
  t.same([...target], [0, 1, 2, 0]);
});
