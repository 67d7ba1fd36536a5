// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';

/** How long the end of a process may take once it exits, in milliseconds; the kill comes some 50 ms after that. */
const EXIT_MS = 400;

/** Kills the process given if it takes too long to end. When that ends, the pipe that is this one's input closes. */
const KILLER = `
  const [pid, milliseconds] = process.argv.slice(1).map(Number);
  process.stdin.on('error', () => {}).on('close', () => process.exit()).resume();
  setTimeout(() => process.kill(pid, 'SIGKILL'), milliseconds);
`;

/**
 * Exits as process.exit() does, even if a call of the file system or of the name resolver hangs.
 *
 * Node's exit waits for the threads that make such calls, however long they take: for ever, with a file server that does
 * not respond. By then nothing runs in the process any more. So another process kills it if need be, and it ends by SIGKILL:
 * 137 in a shell, whatever the status. Where no other can be started, it ends when the calls do.
 *
 * @param status process.exitCode unless given
 */
export function exitNow(status?: number): never {
  try {
    startKiller();
  } catch {
    // No process can be started, and that is all there is to do about it: the exit takes as long as the calls.
  }
  process.exit(status);
}

function startKiller(): void {
  const args = ['-e', KILLER, String(process.pid), String(EXIT_MS)];
  const killer = spawn(process.execPath, args, {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  killer.on('error', () => {});
}
