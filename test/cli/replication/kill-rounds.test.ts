// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../random.js';
import { killRounds } from './kill-rounds.js';

t.setTimeout(180_000);

t.test('Q7: whichever process is killed, the promoted backup has all acknowledged data', async (t) => {
  const told = (line: string): void => t.comment(line);
  // `.ci/run` does 20 rounds, `npm run nightly` 200.
  const { rounds, failures } = await killRounds(randomSeed(t), { count: 1, told });
  t.same(failures, []);
  t.ok(rounds.some(({ flushes }) => flushes > 0));
});
