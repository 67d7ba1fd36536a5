// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type Clip, tableText } from '../../src/cli/table-text.js';

const rows = [
  ['NAME', 'SIZE', 'FILE'],
  ['abcdefgh', '12', '/one/two'],
];

function table(width: number, ...clipped: [column: number, clip: Clip][]): string[] {
  const text = tableText(rows, { rightAligned: new Set([1]), clipped: new Map(clipped), width });
  return text.split('\n').slice(0, -1);
}

t.test('columns are as wide as their widest cell, and two spaces apart', async (t) => {
  t.same(table(80), ['NAME      SIZE  FILE', 'abcdefgh    12  /one/two']);
});

t.test('a table that fits exactly is left alone; one that does not loses as much as it must', async (t) => {
  const end: [number, Clip] = [2, { minWidth: 3, keep: 'end' }];
  t.same(table(24, end), ['NAME      SIZE  FILE', 'abcdefgh    12  /one/two']);
  t.same(table(23, end), ['NAME      SIZE  FILE', 'abcdefgh    12  …ne/two']);
  t.same(table(20, end), ['NAME      SIZE  FILE', 'abcdefgh    12  …two']);
  t.same(table(19, end), ['NAME      SIZE  …LE', 'abcdefgh    12  …wo']);
});

t.test('the next column is cut where the first one may not be cut further', async (t) => {
  const end: [number, Clip] = [2, { minWidth: 4, keep: 'end' }];
  const start: [number, Clip] = [0, { minWidth: 4, keep: 'start' }];
  t.same(table(18, end, start), ['NAME    SIZE  FILE', 'abcde…    12  …two']);
  t.same(table(16, end, start), ['NAME  SIZE  FILE', 'abc…    12  …two']);
});

t.test('what cannot be cut ends at the edge', async (t) => {
  t.same(table(12), ['NAME      SI', 'abcdefgh']);
});
