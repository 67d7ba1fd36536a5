// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { walkStores } from './store-walk.js';

const MILLISECONDS = 1500;
/** However slow the machine is. */
const MIN_WALKS = 2;

t.setTimeout(120_000);

t.test(
  'Q1, Q2: whatever a store is asked and wherever it crashes, it shows what was committed',
  async (t) => {
    const { walks, crashes, failures } = await walkStores(randomSeed(t), MIN_WALKS, MILLISECONDS);
    t.same(failures, []);
    t.ok(crashes >= walks, `${walks} walks, ${crashes} crashes`);
  },
);
