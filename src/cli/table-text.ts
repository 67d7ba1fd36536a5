// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../server/shown-text.js';
import { alignedLines } from '../server/text-table.js';

/** How a column may be cut. */
export interface Clip {
  readonly minWidth: number;
  /** What of a cell stays. */
  readonly keep: 'start' | 'end';
}

/** How a table is printed. */
export interface TableForm {
  /** The columns, from 0, of numbers. */
  readonly rightAligned: ReadonlySet<number>;
  /** The columns, from 0, that may be cut to make the table fit, the first one first. */
  readonly clipped: ReadonlyMap<number, Clip>;
  /** Columns of the terminal. */
  readonly width: number;
}

/** The rows in aligned columns, a line each, none wider than asked for. An ellipsis stands for what is cut. */
export function tableText(rows: readonly (readonly string[])[], form: TableForm): string {
  let cells = rows.map((row) => row.map(shownText));
  for (const [column, clip] of form.clipped) {
    const excess = widest(alignedLines(cells, form.rightAligned)) - form.width;
    if (excess <= 0) break;
    const width = Math.max(clip.minWidth, widest(cells.map((row) => row[column] ?? '')) - excess);
    cells = cells.map((row) =>
      row.map((cell, index) => (index === column ? clipped(cell, width, clip.keep) : cell)),
    );
  }
  return alignedLines(cells, form.rightAligned)
    .map((line) => `${line.slice(0, form.width).trimEnd()}\n`)
    .join('');
}

function clipped(text: string, width: number, keep: Clip['keep']): string {
  if (text.length <= width) return text;
  return keep === 'start' ? `${text.slice(0, width - 1)}…` : `…${text.slice(text.length - width + 1)}`;
}

function widest(lines: readonly string[]): number {
  return Math.max(0, ...lines.map((line) => line.length));
}
