// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';

/** The command line is wrong. The message says what is, and what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Text from outside as messages show it: control characters would reach the terminal. */
export function quoted(text: string): string {
  return shownText(JSON.stringify(text));
}
