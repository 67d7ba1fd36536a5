// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { callFailed, TransferError } from './transfer-error.js';

/** How much a file's stream reads at once. */
const READ_BYTES = 256 * 1024;

/** What a primary sends. */
export interface Input {
  /** For people: a path, or `standard input`. */
  readonly name: string;
  readonly stream: Readable;
  /** In bytes, where it is known before the end; a file that grows or shrinks meanwhile is sent as it is read. */
  readonly size: number | undefined;
}

/** A standard input: a process has one. */
export type StandardInput = Readable & { readonly isTTY?: boolean };

/**
 * @throws TransferError (ENOTTY) for a terminal: nobody types an image in
 */
export function inputFromStandard(stdin: StandardInput): Input {
  if (stdin.isTTY === true) {
    throw new TransferError(
      'ENOTTY',
      'standard input is a terminal: redirect it (< IMAGE), or name a file with --input FILE',
    );
  }
  return { name: 'standard input', stream: stdin, size: undefined };
}

/**
 * Opens a regular file or a block device.
 *
 * @throws (rejects with) TransferError when it cannot be opened, or is something else
 */
export async function inputFromFile(path: string): Promise<Input> {
  try {
    // A FIFO must not be opened: that waits for its writer.
    refuseOther(path, await stat(path));
    const file = await open(path, 'r');
    const { size } = await file.stat();
    return {
      name: path,
      stream: file.createReadStream({ highWaterMark: READ_BYTES }),
      size: size > 0 ? size : undefined,
    };
  } catch (error) {
    throw callFailed(`cannot read ${path}`, error);
  }
}

function refuseOther(path: string, stats: Stats): void {
  if (stats.isDirectory()) {
    throw new TransferError('EISDIR', `cannot read ${path}: it is a directory, but an image is one file`);
  }
  if (stats.isFIFO() || stats.isSocket()) {
    const what = stats.isFIFO() ? 'a FIFO' : 'a socket';
    throw new TransferError(
      'EINVAL',
      `cannot read ${path}: it is ${what}; give it as standard input instead`,
    );
  }
}
