// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { defineTable } from '../command-line/command-table.js';
import { flag, optional } from '../command-line/parameter.js';
import { file } from '../command-line/value-type.js';

export const statusTable = defineTable({
  name: 'status',
  needsOutput: true,
  summary: 'show the state of running primaries and backups',
  description: [
    'Queries every primary and backup of this user on this host, and prints a table. Stale sockets of dead processes are removed.',
  ],
  arguments: {},
  options: {
    socket: optional(file('PATH'), { help: 'Query only the process that listens on this Unix socket.' }),
    json: flag({ help: 'Print one JSON object per line instead, with all details.' }),
  },
  exitStatus: { 0: 'Every running process replied.', 1: 'A process did not reply, or none is running.' },
});
