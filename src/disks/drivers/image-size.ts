// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFile } from 'node:fs';
import { errno } from '../../posix/errno.js';
import { type Done, SECTOR_SIZE } from '../index.js';
import type { TaskQueue } from '../../posix/node/task-queue.js';
import type { FileStatus } from '../../posix/files.js';

/** Asks for the whole sectors of an open image; see {@link imageSizer}. */
export type SizeImage = (kind: Pick<FileStatus, 'kind' | 'size' | 'device'>, done: Done) => void;

/**
 * Finds an image's size in sectors: of a regular file its length, of a block device what the kernel says in
 * /sys/dev/block. A file's last bytes that do not fill a sector are not counted.
 *
 * Completes with the sectors, or -EINVAL for what is neither, or the error of reading /sys.
 */
export function imageSizer(completions: TaskQueue): SizeImage {
  return (kind, done) => {
    if (kind.kind === 'regular') {
      done(Math.floor(kind.size / SECTOR_SIZE));
    } else if (kind.kind !== 'block') {
      done(-errno.EINVAL);
    } else {
      readFile(`/sys/dev/block/${kind.device}/size`, 'latin1', (error, text) => {
        // An error of a file call has its number.
        const result = error ? (error.errno as number) : sectorsIn(text);
        completions.post(() => done(result));
      });
    }
  };
}

/** The kernel counts in sectors of 512 bytes whatever the device's own are. */
function sectorsIn(text: string): number {
  return /^\d+\n?$/.test(text) ? Number(text) : -errno.EIO;
}
