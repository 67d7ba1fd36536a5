// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { bytesLeft, wasClosed } from '../posix/index.js';
import { callFailed, TransferError } from './transfer-error.js';

/** How much a file's stream reads at once. */
const READ_BYTES = 1024 * 1024;

/** What a primary sends. */
export interface Input {
  /** For people: a path, or `standard input`. */
  readonly name: string;
  readonly stream: Readable;
  /** In bytes, where it is known before the end. A file that grows meanwhile is sent as it is read; less is a failure. */
  readonly size: number | undefined;
  /** Opens it anew, from its beginning; undefined: what was read is gone. @throws (rejects with) TransferError */
  readonly again?: () => Promise<Input>;
}

/** A standard input: a process has one. */
export type StandardInput = Readable & { readonly isTTY?: boolean };

/**
 * @param fd the descriptor behind it, where there is one: its size is known when it is a regular file
 * @throws TransferError: ENOTTY for a terminal, as nobody types an image in; EBADF when the process was started without
 */
export function inputFromStandard(stdin: StandardInput, fd?: number): Input {
  const how = 'redirect it (< IMAGE), or name a file with --input FILE';
  if (fd !== undefined && wasClosed(fd)) throw new TransferError('EBADF', `standard input is closed: ${how}`);
  if (stdin.isTTY === true) throw new TransferError('ENOTTY', `standard input is a terminal: ${how}`);
  const size = fd === undefined ? undefined : bytesLeft(fd);
  return { name: 'standard input', stream: stdin, size: size === 0 ? undefined : size };
}

/**
 * Opens a regular file or a block device.
 *
 * @throws (rejects with) TransferError when it cannot be opened, or is something else
 */
export async function inputFromFile(path: string): Promise<Input> {
  try {
    // Without waiting: a FIFO's writer may never come.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await inputFromOpened(path, file);
  } catch (error) {
    // A socket cannot be opened at all.
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENXIO' && (await stat(path)).isSocket()
      ? notAFile(path, 'a socket')
      : callFailed(`cannot read ${path}`, error);
  }
}

async function inputFromOpened(path: string, file: FileHandle): Promise<Input> {
  try {
    const stats = await file.stat();
    refuseOther(path, stats);
    const stream = file.createReadStream({ highWaterMark: READ_BYTES });
    const size = stats.size > 0 ? stats.size : undefined;
    return { name: path, stream, size, again: () => inputFromFile(path) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function refuseOther(path: string, stats: Stats): void {
  if (stats.isDirectory()) {
    throw new TransferError('EISDIR', `cannot read ${path}: it is a directory, but an image is one file`);
  }
  if (stats.isFIFO()) throw notAFile(path, 'a FIFO');
}

function notAFile(path: string, what: string): TransferError {
  return new TransferError('EINVAL', `cannot read ${path}: it is ${what}; give it as standard input instead`);
}
