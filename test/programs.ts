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
    `${missing.join(', ')} not installed (Debian: qemu-utils libnbd-bin nbdkit fio python3-libnbd util-linux iproute2)`,
  );
}

/** Says aloud that something is not tested, and answers false. */
export function skipped(t: Test, reason: string): false {
  console.error(`SKIPPED: ${t.name}: ${reason}`);
  t.pass('not tested', { skip: reason });
  return false;
}

/** Whether a network namespace can be made. If not, the test says so aloud. */
export async function hasNamespaces(t: Test): Promise<boolean> {
  if (!hasPrograms(t, 'unshare', 'ip')) return false;
  const { status, stderr } = await run('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']);
  return status === 0 || skipped(t, `no network namespace: ${stderr.trim()}`);
}

export interface ProgramResult {
  /** The exit status, or null after a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end while this process goes on: other tests in it wait for real times. */
export function run(
  name: string,
  parameters: readonly string[],
  input = '',
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramResult> {
  const child = spawn(name, parameters, { ...options, stdio: 'pipe' });
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
