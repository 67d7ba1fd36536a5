// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { detailLines, indent, type Report, type Write } from './report.js';
import { tallyLine, tallyOf } from './vector-result.js';

/** What failed, as it comes, with the traces' differences; then the tally as the last line. */
export function reportText(write: Write): Report {
  return {
    result: (result) => {
      if (result.outcome === 'passed') return;
      const about = result.about === undefined ? '' : `  ${result.about}\n`;
      write(
        `${result.outcome} ${result.name} (${result.file})\n${about}${indent(detailLines(result), '  ')}\n`,
      );
    },
    end: (results) => write(`${tallyLine(tallyOf(results))}\n`),
  };
}
