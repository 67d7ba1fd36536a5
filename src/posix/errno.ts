// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:os';

/** The positive error numbers of this system by name; a call answers their negative. */
export const errno = constants.errno;

/** A name such as `ECONNREFUSED`. */
export type ErrnoName = keyof typeof errno;

const names = new Map<number, ErrnoName>();
for (const [name, number] of Object.entries(errno)) {
  // Several names may share a number (EAGAIN and EWOULDBLOCK): the first one listed is the usual one.
  if (!names.has(number)) names.set(number, name as ErrnoName);
}

/** The name of an error number, whatever its sign (`ECONNREFUSED`), or undefined for an unknown one. */
export function errnoName(error: number): ErrnoName | undefined {
  return names.get(Math.abs(error));
}

/** The number of an error's name (as in a Node error's `code`), or undefined for an unknown one. */
export function errnoNumber(name: string): number | undefined {
  return Object.hasOwn(errno, name) ? errno[name as ErrnoName] : undefined;
}
