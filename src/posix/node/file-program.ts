// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import type { TaskQueue } from './task-queue.js';

/** A program's exit status, or undefined when it had none, and in words how it ended. */
type ProgramEnded = (status: number | undefined, how: string) => void;

/**
 * Runs one of util-linux's programs on an open file, which is the program's descriptor 3, for a system call that Node does
 * not have. The program has no input, and its output is not read. `done` is told once, on the scheduler.
 */
export function runOnFile(
  tasks: TaskQueue,
  [program, ...args]: readonly [string, ...string[]],
  fd: number,
  done: ProgramEnded,
): void {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
  let ended = false;
  const end: ProgramEnded = (status, how) => {
    if (ended) return;
    ended = true;
    tasks.post(() => done(status, how));
  };
  child.on('error', ({ message }) => end(undefined, `${program} (of util-linux) does not start: ${message}`));
  child.on('exit', (status, signal) =>
    end(status ?? undefined, `${program} ended with ${signal ?? `status ${status}`}`),
  );
}
