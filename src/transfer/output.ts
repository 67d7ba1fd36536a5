// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Writable } from 'node:stream';

/** How much a file's stream holds at most that the disk has not taken yet. */
export const WRITE_BUFFER_BYTES = 1024 * 1024;

/** Where a backup puts one transfer. */
export interface Copy {
  /** Takes the bytes. Its error, if it has one, is why the copy failed. */
  readonly stream: Writable;
  /**
   * All bytes have been written to the stream. Afterwards the copy is complete, on stable storage where there is any, and
   * found under the output's name.
   *
   * @throws (rejects with) TransferError; the copy is gone then
   */
  commit(): Promise<void>;
  /** The copy is not complete, and must not be taken for one. Does not fail; may be called at any time before commit. */
  abandon(): Promise<void>;
}

/** Where a backup puts its transfers, one after another. */
export interface Output {
  /** For people: a path, or `standard output`. */
  readonly name: string;
  /** Whether a transfer goes after the one before: after a broken one it would then follow a part of an image. */
  readonly appends: boolean;
  /** @throws (rejects with) TransferError when it cannot be written */
  begin(): Promise<Copy>;
}
