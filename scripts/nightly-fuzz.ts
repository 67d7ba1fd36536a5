// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The part of `npm run nightly` about what others say: the fuzzing of the suite, at length.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repositoryFile } from './repository-files.js';

/** How long each protocol is fuzzed, unless the run says otherwise. */
export const DEFAULT_FUZZ_MINUTES = 5;

/** Whether all passed; says what each has taken, and which turns of the loop were long. */
export async function runFuzzNightly(seed: number, minutes: number): Promise<boolean> {
  const file = repositoryFile('test/fuzz/fuzz.test.ts');
  const env = {
    ...process.env,
    TEST_SEED: String(seed),
    FUZZ_SECONDS: String(minutes * 60),
    TAP_TIMEOUT: '0',
  };
  const child = spawn(process.execPath, ['--import=tsx', file], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  const told = output.split('\n').filter((line) => /^ *# (?:Subtest|\d+ said|a turn)/.test(line));
  console.log(
    `fuzzing, ${minutes} min each: ${status === 0 ? `passed\n${told.join('\n')}` : `exit status ${status}\n${output}`}`,
  );
  return status === 0;
}
