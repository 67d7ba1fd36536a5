// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The part of `npm run nightly` about what others say: the fuzzing of the suite, at length.

import { runTestFile } from './nightly-test.js';

/** How long each protocol is fuzzed, unless the run says otherwise. */
export const DEFAULT_FUZZ_MINUTES = 5;

/** Whether all passed; says what each has taken, and which turns of the loop were long. */
export async function runFuzzNightly(seed: number, minutes: number): Promise<boolean> {
  const variables = { FUZZ_SECONDS: String(minutes * 60) };
  const { status, output } = await runTestFile('test/fuzz/fuzz.test.ts', seed, variables);
  const told = output.split('\n').filter((line) => /^ *# (?:Subtest|\d+ said|a turn)/.test(line));
  console.log(
    `fuzzing, ${minutes} min each: ${status === 0 ? `passed\n${told.join('\n')}` : `exit status ${status}\n${output}`}`,
  );
  return status === 0;
}
