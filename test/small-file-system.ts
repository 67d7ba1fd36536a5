// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn, spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import type { Test } from 'tap';
import { skipped } from './programs.js';

/** tmpfs by its number in statfs(2). */
const TMPFS = 0x01021994;

/** Whether a directory's files are in memory. If not, the test says so aloud. */
export function isInMemory(t: Test, directory: string): boolean {
  const { type } = statfsSync(directory);
  return type === TMPFS || skipped(t, `${directory} is not of tmpfs`);
}

/**
 * A file system in memory of so many bytes on a directory; returns how to take it away, or why there is none.
 *
 * However this process ends, also killed by SIGKILL, the file system goes: a helper waits for the end of a pipe from here.
 */
export function smallFileSystem(directory: string, size: string): (() => void) | string {
  const options = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory];
  const mounted = spawnSync('mount', options, { encoding: 'utf8' });
  if (mounted.status !== 0) return `no small file system: ${mounted.error?.message ?? mounted.stderr.trim()}`;
  const unmount = 'read -r _; umount -l "$1"';
  const helper = spawn('sh', ['-c', unmount, 'sh', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  helper.unref();
  return () => {
    helper.stdin?.destroy();
    spawnSync('umount', ['-l', directory]);
  };
}
