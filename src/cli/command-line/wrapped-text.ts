// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A phrase as a sentence: `send an image` becomes `Send an image.` */
export function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
}

/** Lines of at most `width` columns; a word that is longer has a line of its own. Several spaces become one. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** A list of labels, each with its text wrapped beside it; a label that is too long has a line of its own. */
export function labelled(rows: readonly (readonly [label: string, text: string])[], width: number): string[] {
  const longest = Math.max(...rows.map(([label]) => label.length));
  const column = Math.min(longest + 4, Math.max(8, Math.floor(width / 3)));
  return rows.flatMap(([label, text]) => {
    const [first = '', ...more] = wrapped(text, width - column);
    const start = `  ${label}`;
    const indented = (line: string): string => `${' '.repeat(column)}${line}`;
    return start.length + 2 > column
      ? [start, indented(first), ...more.map(indented)]
      : [`${start.padEnd(column)}${first}`, ...more.map(indented)];
  });
}
