// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { documentFiles, root } from '../../scripts/repository-files.js';

/** A Markdown file of the repository that is documentation, by its path from the root. */
export interface Document {
  readonly file: string;
  readonly text: string;
}

/** README.md, everything in docs/, and what else is Markdown at the top. */
export function documents(): Document[] {
  return documentFiles().map(document);
}

export function document(file: string): Document {
  return { file, text: readFileSync(path.join(root, file), 'utf8') };
}

/** What a link of a document leads to, or undefined when it is no file of the repository. */
export function linkedFile({ file }: Document, target: string): string | undefined {
  const found = path.join(root, path.dirname(file), target);
  return existsSync(found) ? readFileSync(found, 'utf8') : undefined;
}

/** A fenced block of code. */
export interface CodeBlock {
  /** What stands behind the opening fence: `ts`, `text`, or nothing. */
  readonly language: string;
  readonly code: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
}

/** The fenced code blocks in their order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? '',
    code: match[2] ?? '',
    line: markdown.slice(0, match.index).split('\n').length + 1,
  }));
}

/** The cells of the rows of all tables under a heading (up to the next one of its depth or above), without head rows. */
export function tableRows(markdown: string, heading: string): string[][] {
  const depth = /^#+/.exec(heading)?.[0].length ?? 0;
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`no heading ${heading}`);
  const rows: string[][] = [];
  for (const [index, line] of lines.entries()) {
    if (index <= start) continue;
    const level = /^(#+) /.exec(line)?.[1]?.length;
    if (level !== undefined && level <= depth) break;
    if (/^\|[\s:|-]+\|$/.test(line)) rows.pop();
    else if (line.startsWith('|')) rows.push(cells(line));
  }
  return rows;
}

/** A bar within a code span is written `\|`. */
function cells(row: string): string[] {
  return row
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
