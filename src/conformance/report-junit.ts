// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
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
        write(`  <testsuite name="${escapeXml(shownText(file))}" ${countAttributes(own)}>\n`);
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
  const start = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(shownText(name))}" time="${seconds(result.milliseconds)}"`;
  const message = escapeXml(shownText((result.reason ?? '').split('\n')[0] ?? ''));
  switch (result.outcome) {
    case 'passed':
      return `${start}/>\n`;
    case 'skipped':
      return `${start}>\n      <skipped message="${message}"/>\n    </testcase>\n`;
    case 'failed':
      return `${start}>\n      <failure message="${message}">${escapeXml(detailLines(result).join('\n'))}</failure>\n    </testcase>\n`;
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** What XML 1.0 cannot hold at all becomes U+FFFD; the rest that means something is written as a reference. */
function escapeXml(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- these are the characters that must go
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
  );
}
