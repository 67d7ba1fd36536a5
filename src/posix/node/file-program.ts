// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Timers } from '../timers.js';
import { type ProgramEnded, runProgram } from './program.js';
import type { TaskQueue } from './task-queue.js';

/**
 * Runs one of util-linux's programs on an open file, which is the program's descriptor 3, for a system call that Node does
 * not have. The program has no input, its output is not read, and its time is bounded ({@link runProgram}). `done` is called
 * once, on the scheduler.
 */
export function runOnFile(
  tasks: TaskQueue,
  command: readonly [string, ...string[]],
  fd: number,
  done: ProgramEnded,
  timers?: Timers,
): void {
  const name = `${command[0]} (of util-linux)`;
  const ended: ProgramEnded = (status, how) => tasks.post(() => done(status, how));
  runProgram(command, { name, stdio: ['ignore', 'ignore', 'ignore', fd] }, ended, timers);
}
