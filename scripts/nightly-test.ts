// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repositoryFile } from './repository-files.js';

/** Runs a test file of the suite for as long as it takes; its variables say how much it does. */
export async function runTestFile(
  file: string,
  seed: number,
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = spawn(process.execPath, ['--import=tsx', repositoryFile(file)], {
    env: { ...process.env, TEST_SEED: String(seed), TAP_TIMEOUT: '0', ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}
