// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
import { detailLines, indent, type Report, type Write } from './report.js';
import { ruleTable, tallyRules } from './rule-table.js';
import type { Rule } from './rules.js';
import { tallyLine, tallyOf } from './vector-result.js';

/** How many failures are shown unless set otherwise. */
export const DEFAULT_SHOWN_FAILURES = 10;

/** What a report in text shows. */
export interface TextReportOptions {
  /** How many vectors that did not pass are shown; {@link DEFAULT_SHOWN_FAILURES} unless given. */
  readonly shownFailures?: number;
  /** The rules that the vectors pin, for a table at the end; none unless given. */
  readonly rules?: readonly Rule[];
}

/** What failed, as it comes, with the traces' differences; then a table by rule, and the tally as the last line. */
export function reportText(
  write: Write,
  { shownFailures = DEFAULT_SHOWN_FAILURES, rules = [] }: TextReportOptions = {},
): Report {
  let notPassed = 0;
  return {
    result: (result) => {
      if (result.outcome === 'passed') return;
      notPassed += 1;
      if (notPassed > shownFailures) return;
      const about = result.about === undefined ? '' : `  ${shownText(result.about)}\n`;
      write(
        `${result.outcome} ${shownText(`${result.name} (${result.file})`)}\n${about}${indent(detailLines(result), '  ')}\n`,
      );
    },
    end: (results) => {
      const hidden = notPassed - shownFailures;
      if (hidden > 0) write(`${hidden} more did not pass and are not shown (--show N)\n`);
      const table = ruleTable(tallyRules(rules, results));
      for (const line of table) write(`${line}\n`);
      write(`${tallyLine(tallyOf(results))}\n`);
    },
  };
}
