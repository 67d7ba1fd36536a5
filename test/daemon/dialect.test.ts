// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { runDaemonTests } from './run-daemon-tests.js';

t.setTimeout(120_000);

t.test("the daemon's own tests pass on tapdisk3's scheduler", async (t) => {
  for await (const { file, exit, output } of runDaemonTests('tapdisk3', ['daemon', 'signals'])) {
    if (exit !== 0) t.comment(output);
    t.equal(exit, 0, file);
    t.ok(/pass: [1-9]/.test(output), 'and not without any');
  }
});
