// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { TaskQueue } from '../../posix/node/task-queue.js';
import type { DoneWithReason } from '../index.js';
import { runOnFile } from '../../posix/node/file-program.js';

/** util-linux's program, looked for in PATH. */
export const FLOCK_PROGRAM = 'flock';

/** What flock(1) exits with when another has the lock. */
const EXIT_LOCKED = 1;

/** Locks an open file; see `fileLocker`. */
export type LockFile = (fd: number, shared: boolean, done: DoneWithReason) => void;

/**
 * Locks files against a second writer, with the kernel's flock(2).
 *
 * Node has no call for it, but such a lock belongs to the open file, and a child process that is given the descriptor
 * shares that: so the program flock(1) takes the lock on our behalf, and it is kept after the program's end, until the
 * descriptor is closed or this process ends, however it ends. There is never a stale lock to remove.
 *
 * The lock is advisory: it keeps out those who ask for it (this daemon, other instances of it, flock(1)), not others.
 * A shared lock excludes an exclusive one, and the other way round. It works over all processes of a host, also from
 * containers that share the file; across hosts as far as the network file system supports flock.
 *
 * Completes with 0, -EBUSY when another has it, or -ENOLCK, with the reason, when the program is missing or fails.
 */
export function fileLocker(completions: TaskQueue, program = FLOCK_PROGRAM): LockFile {
  return (fd, shared, done) => {
    const command = [program, shared ? '-s' : '-x', '-n', '3'] as const;
    runOnFile(completions, command, fd, (status, how) => {
      if (status === 0) {
        done(0);
      } else if (status === EXIT_LOCKED) {
        done(-errno.EBUSY);
      } else {
        done(-errno.ENOLCK, how);
      }
    });
  };
}
