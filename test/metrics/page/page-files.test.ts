// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import t from 'tap';
import { pageFiles } from '../../../src/metrics/page/page-files.js';

t.test('a page that was not built is named, with what builds it', async (t) => {
  const directory = t.testdir();
  t.throws(() => pageFiles(directory), {
    message: `the status page was not built: ${join(directory, 'index.html')} is missing: expected npm run build`,
  });
});
