// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { StateError } from './state-file.js';

/**
 * A step of a connection. Where the system has no descriptor or event left for it, the connection ends, and nothing else does:
 * peers make connections as they like, and must not end the process by that.
 *
 * @param end gets what is missing
 * @throws what the step throws and is no StateError
 */
export function orEnd(step: () => void, end: (reason: string) => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    end(error.message);
  }
}

/** Makes several things that have descriptors; when one cannot be made, those before it are closed. @throws what making it throws */
export function madeTogether<Made extends readonly { close(): void }[]>(
  ...makers: { readonly [Index in keyof Made]: () => Made[Index] }
): Made {
  const made: { close(): void }[] = [];
  try {
    for (const make of makers) made.push(make());
  } catch (error) {
    for (const one of made) one.close();
    throw error;
  }
  return made as unknown as Made;
}
