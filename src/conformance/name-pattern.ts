// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * Whether a pattern fits a name: a part of it, or, with `*` (any characters) and `?` (one) in the pattern, the whole of it.
 *
 * It takes no longer than the product of both lengths, whatever they are: a regular expression can take for ever over a
 * name that was made for it.
 */
export function matchesName(pattern: string, name: string): boolean {
  return /[*?]/.test(pattern) ? matchesWhole(Array.from(pattern), Array.from(name)) : name.includes(pattern);
}

function matchesWhole(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  /** After the last `*`, and how far what that stands for goes by now. */
  let star = -1;
  let starEnd = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === '*') {
      star = ++at;
      starEnd = index;
    } else if (pattern[at] === '?' || pattern[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star;
      index = ++starEnd;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
