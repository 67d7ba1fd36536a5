// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

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
  summary: 'check a scheduler against the conformance vectors',
  description: [
    'Runs the scripts of conformance vectors and compares the traces, entry by entry. Without --cmd it runs the schedulers and the modules of this package.',
  ],
  arguments: {
    files: repeated(file(), { help: 'Vector files; those of the package unless given.' }),
  },
  options: {
    cmd: optional(programLine, {
      help: 'Run another implementation: a child process that reads a script per line and writes a trace per line (docs/conformance.md). No shell is involved, but quotes and backslashes work as in one.',
    }),
    suite: optional(oneOf('SUITE', SUITE_NAMES), { help: 'Run only the vectors of one suite.' }),
    dialect: optional(oneOf('DIALECT', DIALECTS), {
      help: 'Run only the vectors of the suite scheduler that are of one dialect.',
    }),
    grep: optional(namePattern, {
      help: 'Run only vectors whose suite/name contains this text or, if it has * or ?, matches it as a whole.',
    }),
    bail: flag({ help: 'Stop after the first vector that fails.' }),
    show: withDefault(wholeNumber('N', 0, 1_000_000), DEFAULT_SHOWN_FAILURES, {
      help: 'How many vectors that did not pass the text report shows.',
    }),
    format: withDefault(oneOf('FORMAT', REPORT_FORMATS), 'text', { help: 'The format of the report.' }),
    jobs: withDefault(wholeNumber('N', 1, MAX_JOBS), 1, {
      help: 'With --cmd: how many child processes run at a time.',
    }),
    timeout: withDefault(decimalNumber('SECONDS', MIN_TIMEOUT, MAX_TIMEOUT), 10, {
      help: 'With --cmd: how long a child process may take for a script.',
    }),
  },
  exitStatus: { 0: 'All vectors passed.', 1: 'A vector failed, or none passed.' },
});
