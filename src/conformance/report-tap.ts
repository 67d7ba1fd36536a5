// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
import { detailLines, indent, type Report, type Write } from './report.js';
import { tallyLine, tallyOf } from './vector-result.js';

/** TAP 14: a test point a vector, with a YAML block for what did not pass. */
export function reportTap(write: Write): Report {
  let count = 0;
  return {
    result: (result) => {
      count++;
      if (count === 1) write('TAP version 14\n');
      const description = shownText(result.name).replaceAll('\\', '\\\\').replaceAll('#', '\\#');
      // A directive is one line; skips give their reason there.
      const directive =
        result.outcome === 'skipped'
          ? ` # SKIP ${shownText((result.reason ?? '').replaceAll('\n', ' ')).replaceAll('#', '\\#')}`
          : '';
      write(`${result.outcome === 'failed' ? 'not ok' : 'ok'} ${count} - ${description}${directive}\n`);
      if (result.outcome !== 'failed') return;
      write(
        `  ---\n  file: ${shownText(JSON.stringify(result.file))}\n  message: |\n${indent(detailLines(result), '    ')}\n  ...\n`,
      );
    },
    end: (results) => {
      if (count === 0) write('TAP version 14\n');
      write(`1..${count}\n# ${tallyLine(tallyOf(results))}\n`);
    },
  };
}
