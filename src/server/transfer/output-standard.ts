// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createWriteStream, fsync, fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Copy, Output } from './output.js';
import { callFailed, TransferError } from './transfer-error.js';

/** A standard output: a process has one. */
export type StandardOutput = Writable & { readonly isTTY?: boolean; readonly fd?: number };

/**
 * Standard output as output: it gets one transfer after another. What it was given cannot be taken back, so that a broken
 * transfer has to be the last.
 *
 * @throws TransferError (ENOTTY) for a terminal
 */
export function outputToStandard(stdout: StandardOutput): Output {
  if (stdout.isTTY === true) {
    throw new TransferError(
      'ENOTTY',
      'standard output is a terminal: redirect it (> COPY), or name a file with --output FILE',
    );
  }
  const { fd } = stdout;
  const stats = fd === undefined ? undefined : fstatSync(fd);
  // Node's own stream on a pipe never blocks. The one that it has on a file does, so that is written by the thread pool.
  const isPipe = stats === undefined || stats.isFIFO() || stats.isSocket();
  const stream = isPipe ? stdout : createWriteStream('', { fd: fd as number, autoClose: false });
  // Whoever writes is told of an error; this is for the time when nobody does.
  stream.on('error', () => {});
  const copy: Copy = {
    stream,
    commit: async () => {
      try {
        await flushed(stream);
        if (fd !== undefined && stats?.isFile()) await synced(fd);
      } catch (error) {
        throw callFailed('cannot write standard output', error);
      }
    },
    abandon: () => Promise.resolve(),
  };
  return { name: 'standard output', appends: true, begin: () => Promise.resolve(copy) };
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

function synced(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
