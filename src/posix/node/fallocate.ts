// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../errno.js';
import type { FileDone } from '../files.js';
import { runOnFile } from './file-program.js';
import type { TaskQueue } from './task-queue.js';

/** util-linux's program, looked for in PATH. */
export const FALLOCATE_PROGRAM = 'fallocate';

/** A range of a file, in bytes, and whether it becomes a hole or is allocated. */
export interface Allocation {
  readonly offset: number;
  readonly length: number;
  readonly punchHole?: boolean;
}

/**
 * fallocate(2), which Node does not have: the program fallocate(1) makes the call on an open file.
 *
 * Completes with 0, or with -EOPNOTSUPP when the program is missing or cannot do it, for whatever reason.
 */
export function fallocate(
  tasks: TaskQueue,
  fd: number,
  { offset, length, punchHole = false }: Allocation,
  done: FileDone,
  program = FALLOCATE_PROGRAM,
): void {
  const options = [`--offset=${offset}`, `--length=${length}`, ...(punchHole ? ['--punch-hole'] : [])];
  runOnFile(tasks, [program, ...options, '/proc/self/fd/3'], fd, (status) =>
    done(status === 0 ? 0 : -errno.EOPNOTSUPP),
  );
}
