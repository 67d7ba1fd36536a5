// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { runDaemonTests } from './run-daemon-tests.js';

t.setTimeout(120_000);

t.test("the daemon's own tests pass on tapdisk3's scheduler", async (t) => {
  for await (const { file, exit, output } of runDaemonTests('tapdisk3', ['daemon', 'signals'])) {
    t.equal(exit, 0, `${file}\n${output}`);
    t.match(output, /pass: [1-9]/);
  }
});
