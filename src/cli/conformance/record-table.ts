// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { defineTable } from '../command-line/command-table.js';
import { required } from '../command-line/parameter.js';
import { file } from '../command-line/value-type.js';

export const recordTable = defineTable({
  name: 'record',
  needsOutput: true,
  summary: 'record the traces of scripts as conformance vectors',
  description: [
    "Runs the scripts in a file with this package's scheduler and modules, and writes them to standard output as a vector file, each with its observed trace. A script is a vector without its trace; an existing trace is replaced.",
  ],
  arguments: {
    script: required(file('SCRIPT'), {
      help: 'A file with one script or an array of scripts; /dev/stdin is standard input on systems that have it.',
    }),
  },
  options: {},
  exitStatus: { 0: 'Recorded.', 1: 'The file is unusable; nothing was written.' },
});
