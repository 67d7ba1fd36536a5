// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errnoCode, errnoNumber } from './errno.js';

/** Something outside of the program is not as it must be. The message says what, and what would be right. */
export class SystemError extends Error {
  override readonly name: string = 'SystemError';
  /** An errno's name (`ECONNREFUSED`), or an EAI_ code's. Stable. */
  readonly code: string;
  /** The negative errno, as in Node's own errors; undefined for a code that is none. */
  readonly errno: number | undefined;

  /** @param code an errno, whatever its sign, or a name */
  constructor(code: number | string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = typeof code === 'number' ? errnoCode(code) : code;
    const number = typeof code === 'number' ? Math.abs(code) : errnoNumber(code);
    this.errno = number === undefined ? undefined : -number;
  }
}
