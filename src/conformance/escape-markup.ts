// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * Text as it can stand in XML or HTML, in an element or between double quotes. What XML 1.0 cannot hold at all becomes U+FFFD;
 * the rest that means something is written as a reference.
 */
export function escapeMarkup(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- these are the characters that must go
      .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replaceAll(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`)
  );
}
