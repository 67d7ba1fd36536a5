// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ResolverErrors, scriptedErrno, tracedResult } from '../../src/conformance/error-names.js';
import { errno } from '../../src/posix/index.js';

t.test(
  "an errno's name has the system's number, or one above all of them, and comes back as it was",
  async (t) => {
    t.equal(scriptedErrno('ECONNREFUSED'), errno.ECONNREFUSED);
    t.equal(tracedResult(-errno.ECONNREFUSED), '-ECONNREFUSED');
    const rare = ['EADV', 'EHOSTDOWN', 'EXFULL'];
    const numbers = rare.map((name) => scriptedErrno(name) ?? 0);
    t.ok(numbers.every((number) => number >= 10_000));
    t.equal(new Set(numbers).size, rare.length);
    t.same(
      numbers.map((number) => tracedResult(-number)),
      rare.map((name) => `-${name}`),
    );
    for (const name of ['EFOO', '', 'econnrefused']) t.equal(scriptedErrno(name), undefined, name);
  },
);

t.test('what is no known error is traced as its number', async (t) => {
  for (const result of [0, 7, -9999, -100_000]) t.equal(tracedResult(result), result);
});

t.test("each of getaddrinfo's errors has a number of its own, below 0, which stays the same", async (t) => {
  const errors = new ResolverErrors();
  const names = ['EAI_NONAME', 'EAI_AGAIN', 'EAI_FAIL'];
  const numbers = names.map((name) => errors.number(name));
  t.ok(numbers.every((number) => number < 0));
  t.equal(new Set(numbers).size, names.length);
  t.same(
    names.map((name) => errors.number(name)),
    numbers,
  );
});
