// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import fs from 'node:fs';
import { Socket } from 'node:net';
import { errno } from '../errno.js';
import type { FileCalls, FileDone } from '../files.js';
import type { NodeObject } from '../shared/node-object.js';
import { runProgram } from './program.js';
import type { TaskQueue } from './task-queue.js';

/** coreutils' program, looked for in PATH: Node cannot make a FIFO. */
export const MKFIFO_PROGRAM = 'mkfifo';

export interface FifoOptions {
  readonly path: string;
  /** What this process does with it. It is opened for both, so that the other side may come and go. */
  readonly end: 'read' | 'write';
  /** The permission bits of one that is made, whatever the umask is. */
  readonly mode: number;
}

export interface FifoHost {
  readonly posix: { adopt(object: NodeObject): number };
  readonly files: FileCalls;
  readonly tasks: TaskQueue;
  readonly program?: string;
}

/**
 * Opens a FIFO, which is made if it is missing, as a descriptor of the table.
 *
 * Completes with it, or with a negative errno: -EBUSY when another one reads what is to be read here, -EEXIST for a path that
 * is something else, -EOPNOTSUPP when mkfifo(1) cannot make it, -EMFILE, or a file call's.
 */
export function openFifo(host: FifoHost, options: FifoOptions, done: FileDone): void {
  const { files } = host;
  const { O_RDWR, O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  const open = (): void =>
    files.open(options.path, O_RDWR | O_NONBLOCK | O_NOFOLLOW, (fd) => {
      if (fd < 0) done(fd);
      else adopt(host, options, fd, done);
    });
  files.lstat(options.path, (result, status) => {
    if (result === -errno.ENOENT) {
      make(host, options, (made) => (made < 0 ? done(made) : open()));
    } else if (result < 0 || status?.kind !== 'fifo') {
      done(result < 0 ? result : -errno.EEXIST);
    } else if (options.end === 'write') {
      open();
    } else {
      // It can be opened for writing only while it has a reader.
      files.open(options.path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW, (fd) => {
        if (fd === -errno.ENXIO) open();
        else if (fd < 0) done(fd);
        else files.close(fd, () => done(-errno.EBUSY));
      });
    }
  });
}

function make({ tasks, program = MKFIFO_PROGRAM }: FifoHost, options: FifoOptions, done: FileDone): void {
  const command = [program, '-m', options.mode.toString(8), '--', options.path] as const;
  runProgram(command, { stdio: 'ignore' }, (status) =>
    tasks.post(() => done(status === 0 ? 0 : -errno.EOPNOTSUPP)),
  );
}

function adopt({ posix, files }: FifoHost, { end }: FifoOptions, fd: number, done: FileDone): void {
  files.fstat(fd, (result, status) => {
    if (result < 0 || status?.kind !== 'fifo') {
      files.close(fd, () => done(result < 0 ? result : -errno.EEXIST));
      return;
    }
    const stream = new Socket({ fd, readable: end === 'read', writable: end === 'write' });
    const adopted = posix.adopt(stream);
    if (adopted < 0) stream.destroy();
    done(adopted);
  });
}
