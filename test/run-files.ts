// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs the test files of the suite that share a process: URLs in TEST_FILES. Its argument, their name, keeps tap's
// directories for fixtures apart.

import t from 'tap';
import { FILE_TIMEOUT_MS } from './file-timeout.js';

const urls = JSON.parse(process.env['TEST_FILES'] ?? '[]') as string[];
for (const url of urls) await import(url);
// A limit that a file has set for itself would count for all that share its process.
t.setTimeout(FILE_TIMEOUT_MS);
