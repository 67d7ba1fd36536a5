// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { create } from '../engine.js';
import { simulateReplication } from './simulate.js';

const COMMAND = 'npx tsx test/replication/disk/simulation/run.ts';

export interface SeedsReport {
  readonly passed: number;
  /** Each with the command that repeats it. */
  readonly failures: readonly string[];
}

/** Runs seeds from one on: so many, and more until it has taken so long. */
export async function simulateSeeds(first: number, least: number, milliseconds = 0): Promise<SeedsReport> {
  const failures: string[] = [];
  const end = performance.now() + milliseconds;
  let passed = 0;
  for (let seed = first; seed < first + least || performance.now() < end; seed++) {
    const { violations } = await simulateReplication(seed, { create });
    if (violations.length === 0) passed += 1;
    else failures.push(`seed ${seed}: ${violations.join('; ')}\n  to replay it: ${COMMAND} ${seed}`);
  }
  return { passed, failures };
}
