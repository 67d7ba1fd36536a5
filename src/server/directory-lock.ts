// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { close, constants, open } from 'node:fs';
import { promisify } from 'node:util';
import { thrownText } from './thrown-text.js';
import { runOnFile } from '../posix/node/file-program.js';

/** util-linux's program, looked for in PATH. */
const FLOCK_PROGRAM = 'flock';
/** How long to wait for another process that has the lock, in seconds. It needs it for milliseconds. */
const WAIT_SECONDS = 5;

const openFile = promisify(open);
const closeFile = promisify(close);

/**
 * Does a piece of work while no other process does one in the same directory, by the kernel's flock(2) on the directory
 * itself: there is no lock file that could stay behind, or that somebody else could have made first.
 *
 * Any user who can read the directory can hold its lock, so it is no protection against malice; without the lock (another
 * keeps it, or the program flock(1) is missing) the work is done all the same.
 *
 * @param unlocked called with the reason if there is no lock
 */
export async function whileLocked<Result>(
  directory: string,
  work: () => Promise<Result>,
  unlocked: (why: string) => void,
): Promise<Result> {
  const fd = await openDirectory(directory, unlocked);
  if (fd === undefined) return work();
  try {
    const why = await lock(fd);
    if (why !== undefined) unlocked(why);
    return await work();
  } finally {
    await closeFile(fd);
  }
}

async function openDirectory(
  directory: string,
  unlocked: (why: string) => void,
): Promise<number | undefined> {
  try {
    return await openFile(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    unlocked(thrownText(error));
    return undefined;
  }
}

/** Undefined, or why there is no lock. */
function lock(fd: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const command = [FLOCK_PROGRAM, '-x', '-w', String(WAIT_SECONDS), '3'] as const;
    runOnFile({ post: (task) => task() }, command, fd, (status, how) =>
      resolve(status === 0 ? undefined : how),
    );
  });
}
