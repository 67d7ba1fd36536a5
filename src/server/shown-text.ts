// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * What text from outside must not bring into a line: controls, line ends of every kind, marks that change the direction of
 * what follows, halves of characters, and the byte order mark.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\uFEFF]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text from another program, a file or the network as it can be put into a line, of a log or for a terminal: what would
 * mean something there is shown escaped, as in JSON (`\n`, `\u001b`, `\u202e`). JSON text stays JSON of the same value.
 */
export function shownText(text: string): string {
  return text.replaceAll(UNSAFE, (unsafe) => SHORT[unsafe] ?? escaped(unsafe));
}

/** {@link shownText} for one word of a line of words, in which a space is escaped as well. */
export function shownWord(text: string): string {
  return shownText(text).replaceAll(' ', '\\u0020');
}

/** {@link shownText} of each of several lines. */
export function shownLines(text: string): string {
  return text.split('\n').map(shownText).join('\n');
}

/**
 * A message of a log, or of an error: {@link shownText}, but for line ends before an indented line, as an Error's stack has
 * them. Such a line cannot be taken for an entry of its own.
 */
export function shownMessage(text: string): string {
  return text
    .split(/\n(?= {4})/)
    .map(shownText)
    .join('\n');
}

function escaped(unsafe: string): string {
  return `\\u${unsafe.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
