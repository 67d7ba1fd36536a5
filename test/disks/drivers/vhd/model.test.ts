// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { modelSeed } from './model-run.js';

/** As many as take some seconds; TEST_SEEDS in the environment sets another number. */
const SEEDS = Number(process.env['TEST_SEEDS'] ?? 20);

t.test('chains of 1 to 5 images read like an array with the same writes', async (t) => {
  const first = randomSeed(t);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const wrong = await modelSeed(seed);
    if (wrong !== undefined) {
      t.fail(wrong);
      return;
    }
  }
  t.pass(`${SEEDS} seeds`);
});
