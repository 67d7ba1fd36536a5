// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type ListEntry, listLine, listObject, tableOfDisks } from '../../../src/cli/ctl/list-text.js';

const entry = (path: string, state = 0): ListEntry => ({ pid: 71, vbd: { minor: 5, state, path } });

t.test('a table that is too wide loses files first, then states, then drivers', async (t) => {
  const entries = [entry(`${'d'.repeat(30)}:${'f'.repeat(30)}`, 0x1ff)];
  const row = (width: number): readonly string[] =>
    (tableOfDisks(entries, width).split('\n')[1] ?? '').trim().split(/ {2,}/);
  const whole = tableOfDisks(entries, 1000).split('\n')[1] ?? '';
  const [pid, minor, state = '', driver, file] = row(1000);
  t.same([pid, minor, driver, file], ['71', '5', 'd'.repeat(30), 'f'.repeat(30)]);
  t.same(row(whole.length), [pid, minor, state, driver, file], 'what fits is whole');
  t.same(row(whole.length - 1), [pid, minor, state, driver, `…${'f'.repeat(28)}`]);
  t.same(row(whole.length - 18), [pid, minor, state, driver, `…${'f'.repeat(11)}`]);
  t.same(row(whole.length - 19), [
    ...[pid, minor, `${state.slice(0, state.length - 2)}…`],
    ...[driver, `…${'f'.repeat(11)}`],
  ]);
  const least = 18 + state.length - 12;
  t.same(row(whole.length - least), [
    ...[pid, minor, `${state.slice(0, 11)}…`],
    ...[driver, `…${'f'.repeat(11)}`],
  ]);
  t.same(row(whole.length - least - 22), [
    ...[pid, minor, `${state.slice(0, 11)}…`],
    ...[`${'d'.repeat(7)}…`, `…${'f'.repeat(11)}`],
  ]);
  // What cannot be cut any more ends at the edge.
  t.same(row(whole.length - least - 23), [
    ...[pid, minor, `${state.slice(0, 11)}…`],
    ...[`${'d'.repeat(7)}…`, `…${'f'.repeat(10)}`],
  ]);
});

t.test('a name is taken apart at its first colon; without one it is no name', async (t) => {
  t.equal(listLine(entry('aio:/a:b')), 'pid=71 minor=5 state=0 args=aio:/a:b');
  t.match(listObject(entry('aio:/a:b')), { type: 'aio', path: '/a:b' });
  t.match(listObject(entry(':')), { type: '', path: '' });
  t.equal(listLine(entry('plain', 0x10)), 'pid=71 minor=5 state=0x10');
  t.match(listObject(entry('plain')), { type: null, path: null });
  t.equal(listLine({ pid: 71 }), 'pid=71');
  t.strictSame(listObject({ pid: 71 }), {
    ...{ pid: 71, minor: null, state: null, stateName: null },
    ...{ type: null, path: null },
  });
});
