// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { judge } from '../../../src/replication/disk/judge.js';
import { ROWS } from './judge-model.js';
import { checkPairs, primaries } from './metadata-pairs.js';

t.test(
  'every pair of metadata states has the one outcome that the tables say, for both sides alike',
  async (t) => {
    const checked = checkPairs();
    t.same(checked.wrong.slice(0, 3), []);
    t.comment(`${checked.pairs} pairs`);
    t.same(
      ROWS.filter((row) => !checked.rows.has(row)),
      [],
      'every row was met',
    );
  },
);

t.test('in no pair of states do both sides continue as the primary', async (t) => {
  const allowed = new Set(['stale', 'split-brain', 'refuse']);
  const all = primaries();
  const wrong = all.flatMap((mine) => all.filter((peer) => !allowed.has(judge(mine, peer).kind)));
  t.same(wrong, []);
});
