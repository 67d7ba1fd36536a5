// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import { ESHUTDOWN } from '../disks/index.js';

/** Why something asked of an NBD server came to nothing. */
export class NbdError extends SystemError {
  override readonly name = 'NbdError';
  /** The message without the code. */
  readonly reason: string;

  /** @param code what the server said (`ENOSPC`), what happened to the connection, or EPROTO for what cannot be understood */
  constructor(reason: string, code: string) {
    super(code, `${reason}: ${code}`);
    this.reason = reason;
  }
}

/** The name of an errno or of the protocol's error, whatever the sign. */
export function errorName(error: number): string {
  return Math.abs(error) === ESHUTDOWN ? 'ESHUTDOWN' : errnoCode(error);
}
