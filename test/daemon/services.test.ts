// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { clientSeconds } from '../../src/daemon/services.js';

t.test('clients have half of the time for the end, and five seconds at most', async (t) => {
  for (const [graceSeconds, seconds] of [
    [1, 0],
    [2, 1],
    [5, 2],
    [9, 4],
    [10, 5],
    [60, 5],
  ] as const)
    t.equal(clientSeconds(graceSeconds), seconds, `of ${graceSeconds} s`);
  t.equal(clientSeconds(0), undefined, "without a limit they have NBD's own time");
});
