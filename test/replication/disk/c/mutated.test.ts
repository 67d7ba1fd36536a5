// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { checkMutated } from './mutated-life.js';

/** As many as fit two seconds; `npm run nightly` does 10,000. */
const SEEDS = 60;

t.test('Q11: a hostile C peer affects nobody else, in both roles', async (t) => {
  t.same(await checkMutated(randomSeed(t), SEEDS), []);
});
