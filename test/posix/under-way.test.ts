// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { UnderWay } from '../../src/posix/under-way.js';

t.test('a waiter is called once, when the last call has ended and its callback has returned', async (t) => {
  const calls = new UnderWay();
  const events: string[] = [];
  calls.whenNone(() => events.push('none yet'));
  t.same(events.splice(0), ['none yet'], 'at once');
  const [first, second] = ['first', 'second'].map((name) =>
    calls.begin((result: number) => void events.push(`${name} ${result}`)),
  );
  calls.whenNone(() => events.push('none'));
  calls.whenNone(() => events.push('none either'));
  second?.(2);
  t.same(events.splice(0), ['second 2']);
  first?.(1);
  t.same(events.splice(0), ['first 1', 'none', 'none either']);
  await calls.none();
  calls.begin(() => {})(0);
  t.same(events, [], 'not again');
});

t.test('the last failure is kept', async (t) => {
  const calls = new UnderWay();
  const end = (result: unknown): void => calls.begin(() => {})(result);
  for (const result of [0, 7, 'text', undefined]) end(result);
  t.equal(calls.failure, 0);
  for (const result of [-5, -28, 0]) end(result);
  t.equal(calls.failure, -28);
});
