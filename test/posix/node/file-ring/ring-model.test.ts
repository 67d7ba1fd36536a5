// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { checkRing } from './ring-model.js';

const SEEDS = 200;

void t.test('in every interleaving of atomic steps each call is made once and completed once', async (t) => {
  t.equal(await checkRing(randomSeed(t), SEEDS), undefined);
});
