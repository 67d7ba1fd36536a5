// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { constants } from 'node:os';
import { errorTexts } from './error-texts.js';

/** The positive error numbers of this system by name; a call returns their negative. */
export const errno = constants.errno;

/** A name such as `ECONNREFUSED`. */
export type ErrnoName = keyof typeof errno;

const namesByNumber = new Map<number, ErrnoName>();
for (const [name, number] of Object.entries(errno)) {
  // Several names may share a number (EAGAIN and EWOULDBLOCK): the first one listed is the usual one.
  if (!namesByNumber.has(number)) namesByNumber.set(number, name as ErrnoName);
}

/** The name of an error number, whatever its sign (`ECONNREFUSED`), or undefined for an unknown one. */
export function errnoName(error: number): ErrnoName | undefined {
  return namesByNumber.get(Math.abs(error));
}

/** What stands for an error number in the `code` of an Error and in lines of a log: its name, or `errno N` for an unknown one. */
export function errnoCode(error: number): string {
  return errnoName(error) ?? `errno ${Math.abs(error)}`;
}

/** The number of an error's name (as in a Node error's `code`), or undefined for an unknown one. */
export function errnoNumber(name: string): number | undefined {
  return Object.hasOwn(errno, name) ? errno[name as ErrnoName] : undefined;
}

/** A positive error number in words, as Linux words it; `Unknown error N` for any other number (C: strerror). */
export function strerror(error: number): string {
  if (error === 0) return 'Success';
  const name = error > 0 ? errnoName(error) : undefined;
  return (name === undefined ? undefined : errorTexts[name]) ?? `Unknown error ${error}`;
}

/** A positive error number in words, with a small first letter as within a sentence. */
export function inWords(error: number): string {
  const text = strerror(error);
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
