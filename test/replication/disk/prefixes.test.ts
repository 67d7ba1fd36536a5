// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../random.js';
import { create } from './engine.js';
import { checkPrefixes } from './prefixes.js';

t.test(
  'whatever a loss of power leaves of both sides recovers to a checkpoint that was promised, and they become equal',
  async (t) => {
    const seed = randomSeed(t);
    const report = await checkPrefixes(seed, { create, samples: 1, every: 13, connectEvery: 6 });
    t.same(report.failures, []);
    t.ok(
      report.states > 20 && report.connected > 3,
      `${report.states} states, ${report.connected} of them connected`,
    );
  },
);
