// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * The words of a command line: parted by blanks, with '…' and "…" and a backslash before a single character as a shell
 * has them, and nothing else of a shell (no variables, no patterns, no pipes).
 *
 * @returns undefined when a quote is not closed, or the backslash stands last
 */
export function commandWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let rest = line;
  while (rest !== '') {
    const token = /^(?:(\s+)|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+))/s.exec(rest);
    if (token === null) return undefined;
    const [text, blanks, single, double, escaped, plain] = token;
    rest = rest.slice(text.length);
    if (blanks === undefined) {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
