// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { comparisonKey, firstDifference } from '../../src/conformance/comparison.js';

const isSame = (one: unknown, other: unknown): boolean => comparisonKey(one) === comparisonKey(other);

t.test('the first entry that differs is found, also where one trace has ended', async (t) => {
  const trace = [['a'], ['b', 1], ['c']] as const;
  t.equal(firstDifference(trace, trace), undefined);
  t.equal(firstDifference([], []), undefined);
  t.same(firstDifference(trace, [['a'], ['b', 2], ['d']]), {
    index: 1,
    expected: ['b', 1],
    actual: ['b', 2],
  });
  t.same(firstDifference(trace, trace.slice(0, 2)), { index: 2, expected: ['c'], actual: undefined });
  t.same(firstDifference(trace.slice(0, 2), trace), { index: 2, expected: undefined, actual: ['c'] });
  t.same(firstDifference([], [['a']]), { index: 0, expected: undefined, actual: ['a'] });
});

t.test('the order of members does not matter, and that of entries does', async (t) => {
  t.ok(
    isSame(
      ['state', { fd: 1, id: 2, deep: { a: 1, b: 2 } }],
      ['state', { deep: { b: 2, a: 1 }, id: 2, fd: 1 }],
    ),
  );
  t.notOk(isSame(['a', 'b'], ['b', 'a']));
  t.notOk(isSame({ a: 1 }, { a: 2 }));
  t.notOk(isSame({ a: null }, {}));
  t.ok(isSame([null], [null]));
});

t.test('two names of one error are the same, with the same sign only', async (t) => {
  t.ok(isSame('-EAGAIN', '-EWOULDBLOCK'));
  t.ok(isSame('EOPNOTSUPP', 'ENOTSUP'));
  t.notOk(isSame('-EAGAIN', 'EAGAIN'));
  t.notOk(isSame('-EAGAIN', '-EINVAL'));
  t.notOk(isSame('-EONE', '-ETWO'), 'what is no error is a text');
  t.notOk(isSame('x-EAGAIN', 'x-EWOULDBLOCK'));
  t.notOk(isSame('-EAGAIN now', '-EWOULDBLOCK now'));
});
