// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ruleTable, tallyRules } from '../../src/conformance/rule-table.js';
import type { Rule } from '../../src/conformance/rules.js';
import type { VectorResult } from '../../src/conformance/vector-result.js';

const rule = (id: string, ...vectors: string[]): Rule => ({
  id,
  title: `Title of ${id}`,
  suite: 'scheduler',
  vectors,
});

const result = (name: string, outcome: VectorResult['outcome']): VectorResult => ({
  file: 'f',
  name: `scheduler/${name}`,
  outcome,
  milliseconds: 1,
});

t.test('a rule is counted by those of its vectors that ran, in the order of the rules', async (t) => {
  const results = [
    result('a', 'passed'),
    result('b', 'failed'),
    result('c', 'skipped'),
    result('d', 'passed'),
  ];
  const rules = [
    rule('P9', 'd'),
    rule('P1', 'a', 'b', 'c', 'missing'),
    rule('P2', 'c'),
    rule('P3', 'missing'),
  ];
  t.same(
    tallyRules(rules, results).map((tally) => [tally.rule.id, tally.passed, tally.run]),
    [
      ['P9', 1, 1],
      ['P1', 1, 2],
    ],
  );
});

const tally = (id: string, passed: number, run: number) => ({ rule: rule(id), passed, run });

t.test('a table has aligned columns, as many as fit into 80 characters', async (t) => {
  t.same(ruleTable([tally('P1', 3, 3), tally('T-P10', 17, 17)]), ['P1      3/3   T-P10 17/17']);
  const cells = (count: number): string[] =>
    ruleTable(Array.from({ length: count }, (_, index) => tally(`E${index % 10}`, 1, 1)));
  // A cell has 6 characters, and 3 between two of them: nine make 78.
  t.same(
    cells(20).map((line) => line.length),
    [78, 78, 15],
  );
  t.equal(cells(9).length, 1);
  // With 8 characters, seven make 74; with 9, 81.
  const seven = (prefix: string): string[] =>
    ruleTable(Array.from({ length: 7 }, (_, index) => tally(`${prefix}${index}`, 1, 1)));
  t.equal(seven('T-P').length, 1);
  t.equal(seven('T-P1').length, 2);
  t.equal(cells(10).length, 2);
  t.match(cells(10)[1], /^E9 1\/1$/);
  const wide = Array.from({ length: 3 }, () => tally('x'.repeat(90), 1, 1));
  t.equal(ruleTable(wide).length, 3, 'one that does not fit has a line of its own');
  t.same(ruleTable([]), []);
});

t.test('broken rules follow the table with their titles', async (t) => {
  t.same(ruleTable([tally('P1', 1, 2), tally('P2', 2, 2), tally('P3', 0, 1)]), [
    'P1 1/2   P2 2/2   P3 0/1',
    'broken: P1 Title of P1: 1 of 2',
    'broken: P3 Title of P3: 0 of 1',
  ]);
});

t.test('a line of the table has no more than 80 characters', async (t) => {
  const tallies = Array.from({ length: 7 }, (_, index) => ({
    rule: rule(`P000${index}`),
    passed: 1,
    run: 1,
  }));
  // Seven of them would have 81.
  t.same(
    ruleTable(tallies).map((line) => line.length),
    [69, 9],
  );
});
