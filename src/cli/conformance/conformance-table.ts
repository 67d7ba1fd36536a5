// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DEFAULT_PAGE_FAILURES } from '../../conformance/page/column.js';
import { REPORT_FORMATS } from '../../conformance/report-format.js';
import { DEFAULT_SHOWN_FAILURES } from '../../conformance/report-text.js';
import { SUITE_NAMES } from '../../conformance/vector.js';
import { DIALECTS } from '../../scheduler/dialect.js';
import { defineTable } from '../command-line/command-table.js';
import { flag, optional, repeated, withDefault } from '../command-line/parameter.js';
import { decimalNumber, file, oneOf, wholeNumber } from '../command-line/value-type.js';
import { programLine, namePattern } from './value-types.js';

const MAX_JOBS = 256;
/** In seconds. */
const MIN_TIMEOUT = 0.001;
/** A day, in seconds. */
const MAX_TIMEOUT = 86_400;

export const conformanceTable = defineTable({
  name: 'conformance',
  needsOutput: true,
  summary: 'check a scheduler against the conformance vectors',
  description: [
    'Runs the scripts of conformance vectors and compares the traces, entry by entry. Without --cmd it runs the schedulers and modules of this package.',
  ],
  arguments: {
    files: repeated(file(), { help: 'Vector files. Default: those in the package.' }),
  },
  options: {
    cmd: repeated(programLine, {
      help: 'Run another implementation: a child process that reads one script per line and writes one trace per line (docs/conformance.md). No shell is involved, but quotes and backslashes work as in a shell. An html report has a column for each.',
    }),
    own: flag({
      help: 'Also run the schedulers and modules of this package, as the first column of an html report.',
      requires: ['cmd'],
    }),
    suite: optional(oneOf('SUITE', SUITE_NAMES), { help: 'Run only the vectors of one suite.' }),
    dialect: optional(oneOf('DIALECT', DIALECTS), {
      help: 'Run only the vectors of the scheduler suite that are for this dialect.',
    }),
    grep: optional(namePattern, {
      help: 'Run only vectors whose suite/name contains this text or, if it has * or ?, matches all of it.',
    }),
    bail: flag({ help: 'Stop after the first vector that fails.' }),
    show: optional(wholeNumber('N', 0, 1_000_000), {
      help: 'The maximum number of failed vectors to show; in an html report, for each implementation.',
      defaultText: `${DEFAULT_SHOWN_FAILURES}, or ${DEFAULT_PAGE_FAILURES} in html`,
    }),
    format: withDefault(oneOf('FORMAT', [...REPORT_FORMATS, 'html']), 'text', {
      help: 'The format of the report. html is one page with a table of rules by implementations and the traces of failures.',
    }),
    output: optional(file(), {
      help: 'Write the complete report to this file, and only the counts to standard output.',
    }),
    jobs: withDefault(wholeNumber('N', 1, MAX_JOBS), 1, {
      help: 'With --cmd: the number of child processes to run in parallel.',
    }),
    timeout: withDefault(decimalNumber('SECONDS', MIN_TIMEOUT, MAX_TIMEOUT), 10, {
      help: 'With --cmd: the time limit for one script.',
    }),
  },
  exitStatus: {
    0: 'All vectors passed, with every implementation.',
    1: 'A vector failed, no vector passed, or the report could not be written.',
  },
});
