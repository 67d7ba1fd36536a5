// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What comes from outside has no need to be nested deeper; what does so overflows the stack of whoever prints it. */
export const MAX_JSON_DEPTH = 100;

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
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (isInString && letter === '\\') at += 1;
    else if (letter === '"') isInString = !isInString;
    else if (isInString) continue;
    else if (letter === '[' || letter === '{') depth += 1;
    else if (letter === ']' || letter === '}') depth -= 1;
    if (depth > most) return true;
  }
  return false;
}
