// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Text from another program as it can be shown: control characters would reach the terminal. */
export function shownText(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, '?');
}
