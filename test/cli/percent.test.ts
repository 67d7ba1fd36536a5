// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { percent } from '../../src/cli/percent.js';

t.test('a share is in whole per cent: 100 only of what is whole, which nothing is too', async (t) => {
  t.same(
    [0, 1, 2, 199, 200, 300].map((done) => percent(done, 200)),
    [0, 0, 1, 99, 100, 100],
  );
  t.equal(percent(0, 0), 100);
  t.equal(percent(1, 1), 100);
});
