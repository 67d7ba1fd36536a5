// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { inWords } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';

/** Something outside of the program is not as it must be. The message says what, and what would be right. */
export class TransferError extends SystemError {
  override readonly name = 'TransferError';
}

/**
 * A failed call as `what: in words`, Node's own or what says more than its errno. Anything else that was thrown is a fault
 * of ours, and is thrown on.
 */
export function callFailed(what: string, error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  if (error instanceof SystemError)
    return new TransferError(error.code, `${what}: ${error.message}`, { cause: error });
  const { errno, code } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || errno === undefined || code === undefined) throw error;
  return new TransferError(code, `${what}: ${inWords(-errno)}`, { cause: error });
}
