// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The part of `npm run nightly` about VHDs: the tests of the suite that draw at random, at length.

import { runTestFile } from './nightly-test.js';

/** How many seeds or rounds each test has. */
const RUNS: readonly (readonly [test: string, what: string, count: number])[] = [
  ['crash', 'losses of power: seeds', 2000],
  ['model', 'requests on chains against an array: seeds', 1000],
  ['fuzz', 'wrong fields with right checksums: seeds', 20_000],
  ['foreign', 'chains as other programs write them: seeds', 1000],
  ['churn', 'snapshots and coalesces in a row', 1000],
  ['killed', 'daemons killed under load', 200],
];

/** Whether all passed; each says so. */
export async function runVhdNightly(seed: number): Promise<boolean> {
  let passed = true;
  for (const [test, what, count] of RUNS) {
    const file = `test/disks/drivers/vhd/${test}.test.ts`;
    const { status, output } = await runTestFile(file, seed, { TEST_SEEDS: String(count) });
    console.log(`vhd: ${count} ${what}: ${status === 0 ? 'passed' : `exit status ${status}\n${output}`}`);
    passed &&= status === 0;
  }
  return passed;
}
