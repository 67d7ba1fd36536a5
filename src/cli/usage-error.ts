// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';

/** A usage error. The message states what is wrong and what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Text from outside as messages show it: control characters would reach the terminal. */
export function quoted(text: string): string {
  return shownText(JSON.stringify(text));
}
