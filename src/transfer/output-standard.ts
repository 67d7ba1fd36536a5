// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { fileResult } from '../posix/file-answer.js';
import { type FileCalls, NodeFileCalls, wasClosed } from '../posix/index.js';
import { type Copy, type Output, WRITE_BUFFER_BYTES } from './output.js';
import { callFailed, TransferError } from './transfer-error.js';

/**
 * Standard output as output: it gets one transfer after another. What it was given cannot be taken back, so that a broken
 * transfer has to be the last.
 *
 * @param stdout a descriptor of the process, which nobody else writes to meanwhile, or a stream
 * @param files what syncs it; Node's unless given
 * @throws TransferError: ENOTTY for a terminal, EBADF when the process was started without one
 */
export function outputToStandard(
  stdout: number | Writable,
  files: Pick<FileCalls, 'fsync'> = new NodeFileCalls({ post: (task) => task() }),
): Output {
  const fd = typeof stdout === 'number' ? stdout : undefined;
  const how = 'redirect it (> COPY), or name a file with --output FILE';
  if (fd !== undefined && wasClosed(fd))
    throw new TransferError('EBADF', `standard output is closed: ${how}`);
  if (fd !== undefined && isatty(fd)) {
    throw new TransferError('ENOTTY', `standard output is a terminal: ${how}`);
  }
  const stream = typeof stdout === 'number' ? streamOn(stdout) : stdout;
  // A writer sees the error itself; this is for the time when nobody writes.
  stream.on('error', () => {});
  const copy: Copy = {
    stream,
    commit: async () => {
      try {
        await flushed(stream);
        if (fd !== undefined && fstatSync(fd).isFile()) await fileResult((done) => files.fsync(fd, done));
      } catch (error) {
        throw callFailed('cannot write standard output', error);
      }
    },
    abandon: () => Promise.resolve(),
  };
  return { name: 'standard output', appends: true, begin: () => Promise.resolve(copy) };
}

/**
 * A stream of one's own. The one that Node has for the process blocks on a file, and comes to life again after an error, as
 * if it could be written.
 */
function streamOn(fd: number): Writable {
  const stats = fstatSync(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true });
  return createWriteStream('', { fd, autoClose: false, highWaterMark: WRITE_BUFFER_BYTES });
}

/** All bytes that the stream has taken are with the kernel. */
function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(new Uint8Array(0), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
