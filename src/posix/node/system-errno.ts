// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The negative errno of what a call of node:fs threw; anything else is thrown again. */
export function systemErrno(error: unknown): number {
  const { errno: number } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || number === undefined) throw error;
  return number;
}
