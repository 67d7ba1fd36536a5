// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import type { Test } from 'tap';
import { programPath } from '../scripts/program-path.js';

/** Whether all these programs are installed. If not, the test says so aloud, in its result and on standard error. */
export function hasPrograms(t: Test, ...names: string[]): boolean {
  const missing = names.filter((name) => programPath(name) === undefined);
  if (missing.length === 0) return true;
  return skipped(
    t,
    `${missing.join(', ')} not installed (Debian: qemu-utils libnbd-bin nbdkit fio python3-libnbd)`,
  );
}

/** Says aloud that something is not tested, and answers false. */
export function skipped(t: Test, reason: string): false {
  console.error(`SKIPPED: ${t.name}: ${reason}`);
  t.pass('not tested', { skip: reason });
  return false;
}

export interface ProgramResult {
  /** The exit status, or null after a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, while this process goes on. */
export function run(name: string, parameters: readonly string[], input = ''): Promise<ProgramResult> {
  const child = spawn(name, parameters, { stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdin.on('error', () => {}).end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
