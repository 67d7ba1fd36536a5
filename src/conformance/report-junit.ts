// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
import { escapeMarkup } from './escape-markup.js';
import { detailLines, type Report, type Write } from './report.js';
import { tallyOf, type VectorResult } from './vector-result.js';

/** JUnit's XML as most CI systems read it: a testsuite a file, a testcase a vector. */
export function reportJunit(write: Write): Report {
  return {
    result: () => {},
    end: (results) => {
      write(`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${countAttributes(results)}>\n`);
      for (const file of new Set(results.map((result) => result.file))) {
        const own = results.filter((result) => result.file === file);
        write(`  <testsuite name="${escapeMarkup(shownText(file))}" ${countAttributes(own)}>\n`);
        for (const result of own) write(testcase(result));
        write('  </testsuite>\n');
      }
      write('</testsuites>\n');
    },
  };
}

function countAttributes(results: readonly VectorResult[]): string {
  const { failed, skipped } = tallyOf(results);
  const milliseconds = results.reduce((sum, result) => sum + result.milliseconds, 0);
  return `tests="${results.length}" failures="${failed}" errors="0" skipped="${skipped}" time="${seconds(milliseconds)}"`;
}

function testcase(result: VectorResult): string {
  const [, suite = '', name = result.name] = /^(\w+)\/(.*)$/s.exec(result.name) ?? [];
  const start = `    <testcase classname="${escapeMarkup(suite)}" name="${escapeMarkup(shownText(name))}" time="${seconds(result.milliseconds)}"`;
  const [reason = ''] = result.reason?.split('\n') ?? [];
  const message = escapeMarkup(shownText(reason));
  switch (result.outcome) {
    case 'passed':
      return `${start}/>\n`;
    case 'skipped':
      return `${start}>\n      <skipped message="${message}"/>\n    </testcase>\n`;
    case 'failed':
      return `${start}>\n      <failure message="${message}">${escapeMarkup(detailLines(result).join('\n'))}</failure>\n    </testcase>\n`;
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
