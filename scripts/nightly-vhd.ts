// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The part of `npm run nightly` about VHDs: the tests of the suite that draw at random, at length.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repositoryFile } from './repository-files.js';

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
    const file = repositoryFile(`test/disks/drivers/vhd/${test}.test.ts`);
    const env = { ...process.env, TEST_SEED: String(seed), TEST_SEEDS: String(count), TAP_TIMEOUT: '0' };
    const child = spawn(process.execPath, ['--import=tsx', file], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [status] = (await once(child, 'close')) as [number | null];
    console.log(`vhd: ${count} ${what}: ${status === 0 ? 'passed' : `exit status ${status}\n${output}`}`);
    passed &&= status === 0;
  }
  return passed;
}
