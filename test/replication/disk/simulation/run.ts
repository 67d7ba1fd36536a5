// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npx tsx test/replication/disk/simulation/run.ts SEED [COUNT]`: runs seeds of the replicated disk's simulation; one seed
// alone is run with its trace.

import { create } from '../engine.js';
import { simulateReplication } from './simulate.js';

const WHOLE_TRACE_LINES = 1_000_000;

const [seed = Number.NaN, count = 1] = process.argv.slice(2).map(Number);
if (!Number.isSafeInteger(seed))
  throw new RangeError(`expected SEED [COUNT], got ${process.argv.slice(2).join(' ')}`);
let failed = 0;
for (let one = seed; one < seed + count; one++) {
  const { violations, trace } = await simulateReplication(one, {
    create,
    traceLines: count === 1 ? WHOLE_TRACE_LINES : 0,
  });
  process.stdout.write(trace);
  if (violations.length === 0) continue;
  failed += 1;
  console.log(`seed ${one}: ${violations.join('\n  ')}`);
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
