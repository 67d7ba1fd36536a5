// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../posix/posix.js';
import { removeDead } from './socket-path.js';

/** Whether a process with the pid lives; one of another user does too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * Removes the sockets that killed processes have left: those whose process is gone and that nobody listens on. What
 * is served after all, or what cannot be removed, stays.
 *
 * @returns the paths that are gone
 */
export async function removeDeadSockets(
  posix: Posix,
  sockets: readonly { readonly path: string; readonly pid: number }[],
): Promise<string[]> {
  const removed = await Promise.all(
    sockets.filter(({ pid }) => !isAlive(pid)).map(({ path }) => removeIfDead(posix, path)),
  );
  return removed.filter((path) => path !== undefined);
}

async function removeIfDead(posix: Posix, path: string): Promise<string | undefined> {
  try {
    await removeDead(posix, path);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
