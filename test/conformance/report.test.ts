// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { createReport, type ReportFormat } from '../../src/conformance/report-format.js';
import { DEFAULT_SHOWN_FAILURES, type TextReportOptions } from '../../src/conformance/report-text.js';
import type { VectorResult } from '../../src/conformance/vector-result.js';

const passed: VectorResult = { file: 'a.json', name: 'scheduler/one', outcome: 'passed', milliseconds: 1 };
const skipped: VectorResult = {
  file: 'a.json',
  name: 'ramdisk/two #2',
  outcome: 'skipped',
  reason: 'it has\nno #ramdisk',
  milliseconds: 2,
};
const failed: VectorResult = {
  file: 'b".json',
  name: 'scheduler/a\\b <three>',
  about: 'It waits.',
  outcome: 'failed',
  reason: 'entry 0: expected ["wait",0], got ["wait",1]',
  traces: { expected: [['wait', 0]], actual: [['wait', 1]] },
  milliseconds: 1500,
};
const broken: VectorResult = {
  file: 'c.json',
  name: 'c.json',
  outcome: 'failed',
  reason: 'bad vector: not JSON\nat its end\u001B[31m',
  milliseconds: 0,
};
const ALL = [passed, skipped, failed, broken];

/** What a report has written when all results have come, and what it has at its end. */
function reported(format: ReportFormat, results: readonly VectorResult[], options?: TextReportOptions) {
  let written = '';
  const report = createReport(format, (text) => (written += text), options);
  for (const result of results) report.result(result);
  const early = written;
  report.end(results);
  return { early, late: written.slice(early.length) };
}

t.test('what did not pass without a reason has an empty line in its place', async (t) => {
  const { reason: _, ...silent } = failed;
  const { early } = reported('text', [silent]);
  t.match(early, /\n {2}It waits\.\n *\n {2}- expected, \+ observed:\n/);
});

t.test('text has what did not pass as it comes, and the tally at the end', async (t) => {
  const { early, late } = reported('text', ALL);
  t.equal(
    early,
    [
      'skipped ramdisk/two #2 (a.json)',
      '  it has',
      '  no #ramdisk',
      'failed scheduler/a\\b <three> (b".json)',
      '  It waits.',
      '  entry 0: expected ["wait",0], got ["wait",1]',
      '  - expected, + observed:',
      '  -    0  ["wait",0]',
      '  +    0  ["wait",1]',
      'failed c.json (c.json)',
      '  bad vector: not JSON',
      '  at its end\\u001b[31m',
      '',
    ].join('\n'),
  );
  t.equal(late, '1 passed, 2 failed, 1 skipped\n');
});

t.test('text shows up to so many that did not pass, and how many more there are', async (t) => {
  t.equal(DEFAULT_SHOWN_FAILURES, 10);
  const many = (count: number): VectorResult[] =>
    Array.from({ length: count }, (_, index) => ({ ...broken, name: `vector ${index}` }));
  const shown = (text: string): number => text.match(/^failed /gm)?.length ?? 0;
  const ten = reported('text', many(10));
  t.equal(shown(ten.early), 10);
  t.equal(ten.late, '0 passed, 10 failed\n');
  const eleven = reported('text', many(11));
  t.equal(shown(eleven.early), 10);
  t.match(eleven.late, /^1 more did not pass and are not shown \(--show N\)\n0 passed/);
  const few = reported('text', [passed, ...many(3)], { shownFailures: 1 });
  t.equal(shown(few.early), 1);
  t.match(few.late, /^2 more did not pass/);
});

t.test('text has a table of the rules that are given', async (t) => {
  const rules = [{ id: 'P6', title: 'Waits', suite: 'scheduler', vectors: ['one'] }] as const;
  t.equal(reported('text', [passed], { rules }).late, 'P6 1/1\n1 passed, 0 failed\n');
});

t.test('TAP has a point a vector, and a block for one that failed', async (t) => {
  const { early, late } = reported('tap', ALL);
  t.equal(
    early,
    [
      'TAP version 14',
      'ok 1 - scheduler/one',
      'ok 2 - ramdisk/two \\#2 # SKIP it has no \\#ramdisk',
      'not ok 3 - scheduler/a\\\\b <three>',
      '  ---',
      '  file: "b\\".json"',
      '  message: |',
      '    entry 0: expected ["wait",0], got ["wait",1]',
      '    - expected, + observed:',
      '    -    0  ["wait",0]',
      '    +    0  ["wait",1]',
      '  ...',
      'not ok 4 - c.json',
      '  ---',
      '  file: "c.json"',
      '  message: |',
      '    bad vector: not JSON',
      '    at its end\\u001b[31m',
      '  ...',
      '',
    ].join('\n'),
  );
  t.equal(late, '1..4\n# 1 passed, 2 failed, 1 skipped\n');
  const { reason: _, ...silent } = skipped;
  t.equal(reported('tap', [silent]).early, 'TAP version 14\nok 1 - ramdisk/two \\#2 # SKIP \n');
  t.same(reported('tap', []), { early: '', late: 'TAP version 14\n1..0\n# 0 passed, 0 failed\n' });
});

t.test('JUnit has a suite a file and a case a vector, with counts and seconds of each', async (t) => {
  const { early, late } = reported('junit', ALL);
  t.equal(early, '');
  t.equal(
    late,
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<testsuites tests="4" failures="2" errors="0" skipped="1" time="1.503">',
      '  <testsuite name="a.json" tests="2" failures="0" errors="0" skipped="1" time="0.003">',
      '    <testcase classname="scheduler" name="one" time="0.001"/>',
      '    <testcase classname="ramdisk" name="two #2" time="0.002">',
      '      <skipped message="it has"/>',
      '    </testcase>',
      '  </testsuite>',
      '  <testsuite name="b&#34;.json" tests="1" failures="1" errors="0" skipped="0" time="1.500">',
      '    <testcase classname="scheduler" name="a\\b &#60;three&#62;" time="1.500">',
      '      <failure message="entry 0: expected [&#34;wait&#34;,0], got [&#34;wait&#34;,1]">entry 0: expected [&#34;wait&#34;,0], got [&#34;wait&#34;,1]',
      '- expected, + observed:',
      '-    0  [&#34;wait&#34;,0]',
      '+    0  [&#34;wait&#34;,1]</failure>',
      '    </testcase>',
      '  </testsuite>',
      '  <testsuite name="c.json" tests="1" failures="1" errors="0" skipped="0" time="0.000">',
      '    <testcase classname="" name="c.json" time="0.000">',
      '      <failure message="bad vector: not JSON">bad vector: not JSON',
      'at its end\\u001b[31m</failure>',
      '    </testcase>',
      '  </testsuite>',
      '</testsuites>',
      '',
    ].join('\n'),
  );
});

t.test('JSON is one document with the tally and every result', async (t) => {
  const { early, late } = reported('json', ALL);
  t.equal(early, '');
  t.same(JSON.parse(late), { passed: 1, failed: 2, skipped: 1, results: ALL });
  t.match(late, /\n {2}"passed": 1,\n/);
});
