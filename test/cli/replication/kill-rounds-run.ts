// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npx tsx test/cli/replication/kill-rounds-run.ts SEED ROUNDS`: kills daemons of a replicated disk, a line a round.

import { killRounds } from './kill-rounds.js';

const [seed = Number.NaN, count = 1] = process.argv.slice(2).map(Number);
if (!Number.isSafeInteger(seed))
  throw new RangeError(`expected SEED ROUNDS, got ${process.argv.slice(2).join(' ')}`);
const { rounds, failures } = await killRounds(seed, { count, told: (line) => console.log(line) });
console.log(`${rounds.length} rounds, ${failures.length} faults`);
process.exitCode = failures.length === 0 ? 0 : 1;
