// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { alignedLines } from '../../src/server/text-table.js';

t.test('columns are as wide as their widest cell, without trailing spaces', async (t) => {
  const rows = [
    ['what', 'n'],
    ['a disk', '1'],
    ['b', '10'],
  ];
  t.same(alignedLines(rows), ['what    n', 'a disk  1', 'b       10']);
  t.same(alignedLines(rows, new Set([1])), ['what     n', 'a disk   1', 'b       10']);
});

t.test('rows may be of different lengths', async (t) => {
  t.same(alignedLines([['a'], ['b', 'long', 'c'], []]), ['a', 'b  long  c', '']);
});
