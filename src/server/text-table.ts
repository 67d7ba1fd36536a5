// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from './shown-text.js';

/**
 * The rows in aligned columns, two spaces apart, a line each. A row may have fewer cells than others. Cells are shown as
 * {@link shownText} has them.
 *
 * @param rightAligned the columns, from 0, whose cells stand on the right, as numbers do
 */
export function alignedLines(
  rows: readonly (readonly string[])[],
  rightAligned: ReadonlySet<number> = new Set(),
): string[] {
  const widths: number[] = [];
  const shown = rows.map((row) => row.map(shownText));
  for (const row of shown) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return shown.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] as number;
      return rightAligned.has(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join('  ').trimEnd();
  });
}
