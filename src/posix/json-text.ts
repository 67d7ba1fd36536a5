// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What comes from outside has no need to be nested deeper; what does so overflows the stack of whoever prints it. */
export const MAX_JSON_DEPTH = 100;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [BRACKET, CLOSING_BRACKET, BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The value of a JSON text from outside. A byte order mark before it is skipped: editors of some systems write one.
 *
 * @throws SyntaxError when it is not JSON, or its arrays and objects are nested deeper than {@link MAX_JSON_DEPTH}
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (isDeeper(text, MAX_JSON_DEPTH))
    throw new SyntaxError(`arrays and objects are nested deeper than ${MAX_JSON_DEPTH}`);
  return value;
}

/** Whether valid JSON is nested deeper. A loop, as the text may have a string of any length. */
function isDeeper(text: string, most: number): boolean {
  // Each level takes two characters at least.
  if (text.length <= 2 * most) return false;
  let depth = 0;
  for (let at = 0; at < text.length && depth <= most; at++) {
    const letter = text.charCodeAt(at);
    if (letter === QUOTE) at = stringEnd(text, at);
    else if (letter === BRACKET || letter === BRACE) depth += 1;
    else if (letter === CLOSING_BRACKET || letter === CLOSING_BRACE) depth -= 1;
  }
  return depth > most;
}

/** Where the string ends that begins at a quote: at the next one with an even number of backslashes before it. */
function stringEnd(text: string, start: number): number {
  let end = start;
  let backslashes: number;
  do {
    end = text.indexOf('"', end + 1);
    backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
  } while (backslashes % 2 === 1);
  return end;
}
