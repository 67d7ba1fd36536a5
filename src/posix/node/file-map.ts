// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ExtentLines, type FileRange } from './extent-lines.js';
import { runProgram } from './program.js';
import type { TaskQueue } from './task-queue.js';

/** e2fsprogs' program, looked for in PATH. */
export const FILEFRAG_PROGRAM = 'filefrag';
/** Reading a map may take so long: what waits in memory is written to the disk first. */
export const MAP_SECONDS = 10;

/** Called once with the holes of a file, in order, or with the reason why they are not known, for people. */
export type HolesDone = (holes: readonly FileRange[] | string) => void;

/**
 * Reads where an open file has holes, with the kernel's FIEMAP, after what was written to it has been given its places
 * (FIEMAP_FLAG_SYNC). Node has no such call: the program filefrag(8) makes it.
 *
 * What was written before the call is in no hole, unless it was made one meanwhile; of what is written during the call
 * nothing is certain. A range that was allocated ahead counts as data, and so does all after `MAX_EXTENTS` extents. The
 * last hole has no end.
 */
export function readHoles(
  tasks: TaskQueue,
  fd: number,
  done: HolesDone,
  program = FILEFRAG_PROGRAM,
  seconds = MAP_SECONDS,
): void {
  const lines = new ExtentLines();
  runProgram(
    [program, '-v', '-s', '-b1', '/proc/self/fd/3'],
    {
      stdio: ['ignore', 'pipe', 'ignore', fd],
      env: { ...process.env, LC_ALL: 'C' },
      seconds,
      onOutput: (text) => lines.take(text),
    },
    (status, how) => tasks.post(() => done(status === 0 || lines.isFull ? lines.holes() : how)),
  );
}
