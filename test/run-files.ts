// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs the test files of the suite that share a process: URLs in TEST_FILES. Its argument, their name, keeps tap's
// directories for fixtures apart.

import t from 'tap';
import { FILE_TIMEOUT_MS } from './file-timeout.js';

const urls = JSON.parse(process.env['TEST_FILES'] ?? '[]') as string[];
// A file that runs its tests in parallel must not make others do so: they may replace functions, or count descriptors.
let jobs = 1;
for (const url of urls) {
  t.jobs = 1;
  await import(url);
  jobs = Math.max(jobs, t.jobs);
}
t.jobs = jobs;
// A limit that a file has set for itself would count for all that share its process.
t.setTimeout(FILE_TIMEOUT_MS);
