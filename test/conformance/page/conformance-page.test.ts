// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash } from 'node:crypto';
import t from 'tap';
import { conformancePage } from '../../../src/conformance/page/conformance-page.js';
import { runVectors } from '../../../src/conformance/suite-run.js';
import type { VectorResult } from '../../../src/conformance/vector-result.js';
import { assignmentOf, emptyVector } from '../example-vectors.js';
import { examplePage, hostile, rules } from './example-page.js';

/** A page without the blanks between its elements. */
const tight = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/ (?=<)|(?<=>) /g, '');
const count = (text: string, part: string): number => text.split(part).length - 1;

t.test('the table has a row for each rule that ran and a column for each implementation', async (t) => {
  const page = tight((await examplePage()).page);
  t.match(page, /<tr id="rule-E1"><th scope="row"><span class="id">E1<\/span>Kept by both<\/th>/);
  const row = (id: string): string => page.split(`<tr id="rule-${id}">`)[1]?.split('</tr>')[0] ?? '';
  t.equal(count(row('E1'), '<span class="word">kept</span>1 of 1'), 2);
  t.match(row('E2'), '<span class="word">kept</span>1 of 1');
  t.match(row('E2'), /<span class="word">broken<\/span><a href="#failure-2-2">0 of 1<\/a>/);
  t.match(row('R1'), '<span class="word">not run</span>');
  t.notMatch(page, 'Without a vector');
  t.match(page, 'One rule has no vector in this run');
  t.match(page, '<tr class="group"><th scope="rowgroup" colspan="3">', 'a group is as wide as its columns');
  const others = page.split('Vectors that no single rule names')[1]?.split('</tr>')[0] ?? '';
  t.match(
    others,
    /<span class="word">passed<\/span>3 of 3.*<span class="word">failed<\/span><a href="#failure-2-3">0 of 4/,
  );
});

t.test('a failed vector is shown step by step, with the difference marked and named', async (t) => {
  const page = tight((await examplePage()).page);
  t.equal(count(page, '<p>None.</p>'), 1, 'of the implementation that nothing failed with');
  const failure = page.split('id="failure-2-2"')[1]?.split('id="failure-2-3"')[0] ?? '';
  t.match(failure, 'Steps 1 to 2 went as expected');
  t.match(failure, 'The first difference, in step 3 of 4');
  t.match(failure, 'Step 3:<code>wait {&#34;read&#34;: [5, 6]}</code>');
  t.match(
    failure,
    '<mark>&#34;READ&#34;</mark></code></td><td><span class="index">3</span><code>fire &#34;a&#34; 1<mark>&#34;WRITE&#34;</mark>',
  );
  t.match(failure, '<span class="word">differs</span>');
  t.match(failure, 'The last step');
  t.match(failure, /Pins<a href="#rule-E2">E2<\/a>Broken by one/);
});

t.test('in a select only the differing member is marked', async (t) => {
  const { page } = await examplePage();
  t.match(page, /<mark>&#34;timeout&#34;: 17<\/mark>/);
  t.notMatch(page, /<mark>&#34;nfds&#34;/);
});

t.test('a hundred failures of an implementation are shown, and the rest only named', async (t) => {
  const names = Array.from({ length: 102 }, (_, index) => `vector-${index + 1}`);
  const assignments = names.map((name) => assignmentOf(emptyVector(name)));
  const failing = { run: () => Promise.reject(new Error('no reply')) };
  const columns = [{ name: 'failing', results: await runVectors(assignments, failing) }];
  const parts = { columns, assignments, rules, atSeconds: 0, version: '0.1.0' };
  const page = tight(await conformancePage(parts));
  t.equal(count(page, 'no trace: no reply'), 100);
  t.match(page, '2 more failed and are only named (--show N)');
  t.match(page, '<li><code>scheduler/vector-102</code></li>');
});

t.test('a vector without a trace has a reason, and an invalid file is named', async (t) => {
  const { page } = await examplePage();
  t.notMatch(page, 'more failed', 'each is shown');
  t.match(page, 'no trace: it ended with status 3\nits last words');
  t.match(page, 'bad vector: it is not JSON');
});

t.test('skipped vectors are counted by reason', async (t) => {
  const { page } = await examplePage();
  t.match(page, '1 skipped: only the scheduler');
  t.equal(count(page, 'class="skips"'), 1, 'where none was skipped there is no list');
});

t.test('names, reasons and traces never become markup', async (t) => {
  const { page } = await examplePage();
  t.ok(count(page, 'alert(1)') > 5, 'it is in it');
  t.notMatch(page, /<(?:script|img|b)\b/i);
  t.notMatch(page, hostile);
  t.notMatch(page, '\u202E');
  // Between two tags, or in an attribute's value, no angle bracket is left.
  const body = page.slice(page.indexOf('<body>'));
  t.equal(body.replaceAll(/<\/?[a-z][a-z0-9]*(?:\s+[a-z-]+="[^"<>]*")*\s*\/?>/g, '').search(/[<>]/), -1);
});

t.test('the page requests nothing from elsewhere, and its policy admits only its own styles', async (t) => {
  const { page } = await examplePage();
  const tags = page.match(/<[a-z][^<>]*>/g)?.join('') ?? '';
  const targets = [...tags.matchAll(/ (?:src|srcset|href|action)="([^"]*)"/g)].map(([, at]) => at ?? '');
  t.strictSame(
    targets.filter((target) => !target.startsWith('#') && target !== 'data:,'),
    [],
  );
  t.ok(targets.length > 5);
  t.notMatch(page, /https?:|@import|url\(|<script|<link rel="stylesheet"/);
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(page) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  t.match(
    page,
    `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
  );
  t.notMatch(page, / style="/);
});

t.test('every link leads somewhere, and no place has two', async (t) => {
  const { page } = await examplePage();
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  t.equal(new Set(ids).size, ids.length);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) t.ok(ids.includes(target), `#${target}`);
});

t.test('failures up to a bound are shown, and the rest listed without links', async (t) => {
  const { page, failed } = await examplePage({ shownFailures: 1 });
  t.equal(count(page, '<details class="failure">'), 1);
  t.match(page, `${failed - 1} more failed and are only named (--show N)`);
  t.match(page, '<li><code>scheduler/slept</code></li>');
  for (const [, target] of page.matchAll(/href="#(failure-[^"]+)"/g)) t.match(page, ` id="${target}"`);
  const { page: allButOne } = await examplePage({ shownFailures: failed - 1 });
  t.match(allButOne, '1 more failed and are only named (--show N)');
});

t.test(
  'a card has a bar of what passed and failed, and up to five reasons of what was skipped',
  async (t) => {
    const card = async (skips: readonly string[]): Promise<string> => {
      const result = { file: 'f', name: 'scheduler/x', milliseconds: 1 };
      const results: VectorResult[] = [
        { ...result, outcome: 'passed' },
        { ...result, outcome: 'passed' },
        { ...result, outcome: 'failed', reason: 'why' },
        ...skips.map((reason) => ({ ...result, outcome: 'skipped', reason }) as const),
      ];
      const assignments = results.map(() => assignmentOf(emptyVector('x')));
      const columns = [{ name: 'mine', results }];
      const page = await conformancePage({ columns, assignments, rules, atSeconds: 0, version: '1' });
      return tight(page.split('class="cards"')[1]?.split('</section>')[0] ?? '');
    };
    const five = await card(['a', 'b', 'c', 'd', 'e']);
    t.match(five, '<rect class="good" width="25.00%"');
    t.match(five, '<rect class="bad" x="25.00%" width="12.50%"');
    t.match(five, '1 skipped: e');
    t.notMatch(five, 'more reason');
    const six = await card(['a', 'b', 'a', 'c', 'd', 'e', 'f']);
    t.match(six, '<li>2 skipped: a</li>');
    t.notMatch(six, 'skipped: f');
    t.match(six, '<li>and for 1 more reason</li>');
    t.match(await card(['a', 'b', 'c', 'd', 'e', 'f', 'g']), '<li>and for 2 more reasons</li>');
  },
);

t.test(
  'a page on several implementations reports how many conform, and lists their failures in order',
  async (t) => {
    const { page } = await examplePage();
    t.match(page, '<title>Conformance: 1 of 2 conform</title>');
    t.match(tight(page), '<p>2 implementations, 7 vectors,');
    const places = [...page.matchAll(/ id="(failures?-[^"]+)"/g)].map(([, id]) => id);
    t.strictSame(places, [
      'failures-1',
      'failures-2',
      ...[2, 3, 4, 5, 7].map((result) => `failure-2-${result}`),
    ]);
  },
);

t.test('a run without failures reports that', async (t) => {
  const results: VectorResult[] = [{ file: 'f', name: 'scheduler/x', outcome: 'passed', milliseconds: 1 }];
  const parts = { assignments: [], rules, atSeconds: 0, version: '1' };
  const page = await conformancePage({ ...parts, columns: [{ name: 'mine', results }] });
  t.match(page, '<title>Conformance: conforms</title>');
  t.match(tight(page), '<p>1 implementation, 0 vectors,');
  t.match(page, 'None.');
  const none = await conformancePage({ ...parts, columns: [{ name: 'mine', results: [] }] });
  t.match(none, '<title>Conformance: does not conform</title>');
  t.match(none, 'nothing passed');
  t.match(none, '<rect class="good" width="0.00%"');
});

t.test(
  'the page shows when it was made, to the second for programs and to the minute for people',
  async (t) => {
    const { page } = await examplePage();
    t.match(page, '<time datetime="2025-11-26T03:00:00.000Z">2025-11-26 03:00 UTC</time>, tapdisk-ts 0.1.0');
  },
);
