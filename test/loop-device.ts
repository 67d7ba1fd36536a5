// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn, spawnSync } from 'node:child_process';

/** A block device over a file. */
export interface LoopDevice {
  /** `/dev/loop3`. */
  readonly path: string;
  /** Gives it the size that the file has now. */
  readonly measure: () => void;
  readonly remove: () => void;
}

/** losetup(8) once; its output. @throws Error when it fails */
function losetup(...parameters: string[]): string {
  const { status, error, stdout, stderr } = spawnSync('losetup', parameters, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(stderr.trim());
  return stdout.trim();
}

/**
 * A block device over a file, or why there is none.
 *
 * However this process ends, also killed by SIGKILL, the device goes: a helper waits for the end of a pipe from here.
 */
export function loopDevice(file: string): LoopDevice | string {
  let path: string;
  try {
    path = losetup('--find', '--show', file);
  } catch (error) {
    return `no loop device: ${(error as Error).message}`;
  }
  const helper = spawn('sh', ['-c', 'read -r _; losetup --detach "$1"', 'sh', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  helper.unref();
  return {
    path,
    measure: () => losetup('--set-capacity', path),
    remove: () => helper.stdin?.destroy(),
  };
}
