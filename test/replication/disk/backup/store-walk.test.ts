// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../../random.js';
import { StoreWalk } from './store-walk.js';

const WALKS = 12;
const STEPS = 150;

t.test(
  'Q1, Q2: whatever a store is asked and wherever it crashes, it shows what was committed',
  async (t) => {
    const seed = randomSeed(t);
    let crashes = 0;
    for (let walk = seed; walk < seed + WALKS; walk++) {
      const store = new StoreWalk(walk);
      await store.run(STEPS);
      t.same(store.wrong, [], `seed ${walk}`);
      crashes += store.crashes;
    }
    t.ok(crashes > WALKS, `${crashes} crashes`);
  },
);
