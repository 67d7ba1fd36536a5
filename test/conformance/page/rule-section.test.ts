// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ruleSection } from '../../../src/conformance/page/rule-section.js';
import { summarySection } from '../../../src/conformance/page/summary-section.js';
import type { Rule } from '../../../src/conformance/rules.js';
import type { VectorResult } from '../../../src/conformance/vector-result.js';

type Outcome = VectorResult['outcome'];

const resultsOf = (outcomes: Readonly<Record<string, Outcome>>): VectorResult[] =>
  Object.entries(outcomes).map(([name, outcome]) => ({
    file: 'f',
    name,
    outcome,
    milliseconds: 1,
    ...(outcome === 'skipped' && { reason: `no ${name}` }),
  }));

const column = (name: string, outcomes: Readonly<Record<string, Outcome>>) => ({
  name,
  results: resultsOf(outcomes),
});

const rule = (id: string, suite: Rule['suite'], more: object = {}): Rule => ({
  id,
  title: `Title ${id}`,
  suite,
  vectors: [id.toLowerCase()],
  ...more,
});

const rules = [
  rule('E1', 'scheduler'),
  rule('T1', 'scheduler', { dialect: 'tapdisk3' }),
  rule('R1', 'replication'),
  rule('A1', 'async-io'),
  rule('D1', 'ramdisk'),
];

/** The texts of a piece of markup. */
const textsOf = (text: string): string[] =>
  text
    .split(/<[^>]*>/)
    .map((part) => part.trim().replaceAll(/\s+/g, ' '))
    .filter((part) => part !== '');

const everything = {
  'scheduler/e1': 'passed',
  'scheduler/tapdisk3/t1': 'passed',
  'replication/r1': 'passed',
  'async-io/a1': 'passed',
  'ramdisk/d1': 'passed',
} as const;

t.test('rules are grouped by suite, and what no rule names comes last', async (t) => {
  const { text } = ruleSection(
    rules,
    [column('mine', { ...everything, 'scheduler/x': 'passed' })],
    new Set(),
  );
  const groups = [...text.matchAll(/<th scope="rowgroup" colspan="2">([^<]*)</g)].map(([, group]) => group);
  t.same(groups, [
    "tapdisk2's scheduler",
    "tapdisk3's scheduler",
    'Replication',
    'Transfers',
    'The ramdisk',
    'Other vectors',
  ]);
  t.notMatch(text, 'left out');
});

t.test(
  'rules without a vector in the run are counted and left out, as is a group without a member',
  async (t) => {
    const { text } = ruleSection(rules, [column('mine', { 'scheduler/e1': 'passed' })], new Set());
    t.match(text, '4 rules have no vector in this run and are left out.');
    t.notMatch(text, /Title R1|Replication|Other vectors/);
    const { text: one } = ruleSection(
      rules.slice(0, 2),
      [column('mine', { 'scheduler/e1': 'passed' })],
      new Set(),
    );
    t.match(one, 'One rule has no vector in this run and is left out.');
  },
);

t.test(
  'what failed leads to the first failure where that is shown, and what was only skipped has not run',
  async (t) => {
    const pinned = [rule('E1', 'scheduler', { vectors: ['a', 'b', 'c', 'in no run'] })];
    const outcomes = {
      'scheduler/z': 'failed',
      'scheduler/a': 'passed',
      'scheduler/b': 'failed',
      'scheduler/c': 'failed',
    } as const;
    const columns = [column('other', { 'scheduler/a': 'skipped' }), column('mine', outcomes)];
    const row = (shown: readonly string[]): string =>
      ruleSection(pinned, columns, new Set(shown)).text.split('<tr id="rule-E1">')[1]?.split('</tr>')[0] ??
      '';
    t.same(textsOf(row([])), ['E1', 'Title E1', 'not run', 'broken', '1 of 3']);
    t.notMatch(row(['failure-2-4']), '<a ');
    t.match(row(['failure-2-3']), '<a href="#failure-2-3">1 of 3</a>');
  },
);

t.test('a rule is broken though as many of its vectors pass as fail', async (t) => {
  const pinned = [rule('E1', 'scheduler', { vectors: ['a', 'b'] })];
  const columns = [column('mine', { 'scheduler/a': 'passed', 'scheduler/b': 'failed' })];
  const { text } = ruleSection(pinned, columns, new Set());
  t.match(text, '<td class="bad"><span class="word">broken</span> 1 of 2</td>');
});

t.test('the row of what no rule names has neither an id nor a place to link to', async (t) => {
  const { text } = ruleSection([], [column('mine', { 'scheduler/x': 'passed' })], new Set());
  t.match(text, '<tr><th scope="row">Vectors that no single rule names, such as random runs</th>');
});

t.test(
  'a card has the verdict, the shares of what passed and failed, and the reasons of what was skipped',
  async (t) => {
    const cards = (...columns: ReturnType<typeof column>[]): string[] =>
      summarySection(columns).text.split('<li>\n').slice(1);
    const [bad = '', good = '', none = ''] = cards(
      column('one', { a: 'passed', b: 'failed', c: 'failed', d: 'skipped' }),
      column('two', { a: 'passed', d: 'skipped' }),
      column('three', {}),
    );
    t.same(textsOf(bad).slice(0, 2), ['one', 'does not conform']);
    t.match(bad, 'href="#failures-1"');
    t.match(bad, '<rect class="good" width="25.00%"');
    t.match(bad, '<rect class="bad" x="25.00%" width="50.00%"');
    t.match(bad, '1 skipped: no d');
    t.same(textsOf(good).slice(0, 2), ['two', 'conforms']);
    t.match(good, 'class="verdict good"');
    t.same(textsOf(none).slice(0, 2), ['three', 'nothing passed']);
    t.match(none, 'class="verdict none"');
    t.match(none, '<rect class="good" width="0.00%"');
    t.notMatch(none, 'skipped:');
    const [single = ''] = cards(column('four', { a: 'failed' }));
    t.same(textsOf(single).slice(0, 2), ['four', 'does not conform']);
    t.match(single, '<rect class="bad" x="0.00%" width="100.00%"');
  },
);

t.test('five reasons of skipped vectors are listed, and the others counted', async (t) => {
  const skipped = (count: number) =>
    summarySection([
      column(
        'one',
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, 'skipped'])),
      ),
    ]).text;
  t.equal(skipped(5).split(' skipped: ').length - 1, 5);
  t.notMatch(skipped(5), 'more reasons');
  t.equal(skipped(7).split(' skipped: ').length - 1, 5);
  t.match(skipped(7), 'and for 2 more reasons');
});
