// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { crashSeed } from './crash-life.js';

/** As many as take some seconds; TEST_SEEDS in the environment sets another number. */
const SEEDS = Number(process.env['TEST_SEEDS'] ?? 30);

t.test('no power loss loses or hides flushed data, and no kill acknowledged data', async (t) => {
  const first = randomSeed(t);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const wrong = await crashSeed(seed);
    if (wrong !== undefined) {
      t.fail(wrong);
      return;
    }
  }
  t.pass(`${SEEDS} seeds`);
});
