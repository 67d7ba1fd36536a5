// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random } from '../../../src/testing/index.js';
import { randomSeed } from '../../random.js';
import { HistoryWalk } from './history-walk.js';

const WALKS = 20_000;
const STEPS = 30;

t.test(
  "whatever two sides went through, a checkpoint is the primary's disk, and nothing is lost without a command",
  async (t) => {
    const first = randomSeed(t);
    const verdicts = new Set<string>();
    for (let seed = first; seed < first + WALKS; seed++) {
      const walk = new HistoryWalk(new Random(seed));
      for (let step = 0; step < STEPS && walk.wrong.length === 0; step++) walk.step();
      for (const verdict of walk.verdicts) verdicts.add(verdict);
      if (walk.wrong.length === 0) continue;
      t.fail(`TEST_SEED=${seed}: ${walk.wrong[0]}:\n${walk.steps.join('\n')}`);
      return;
    }
    t.same([...verdicts].toSorted(), ['compare', 'refuse', 'resync', 'split-brain', 'stale']);
  },
);
