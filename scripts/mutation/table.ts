// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync, writeFileSync } from 'node:fs';
import { repositoryFile } from '../repository-files.js';

/** What was found in one folder of src. */
export interface FolderScore {
  readonly folder: string;
  /** Those that were tried; the equivalents are not among them. */
  readonly tried: number;
  readonly killed: number;
  /** Of the killed, those that ran into the deadline. */
  readonly hung: number;
  readonly equivalent: number;
  /** All that there are in the folder. */
  readonly all: number;
  readonly seed: number;
}

const PAGE = repositoryFile('docs/mutation.md');
const HEAD = '| folder | mutants | tried | killed | of these by hanging | equivalent | score | date | seed |';
const RULE = '| --- | --: | --: | --: | --: | --: | --: | --- | --- |';

/** In per cent, rounded down, so that no figure says more than was found. */
export const scoreText = ({ tried, killed }: FolderScore): string =>
  tried === 0 ? 'none' : `${(Math.floor((1000 * killed) / tried) / 10).toFixed(1)} %`;

function row(score: FolderScore, date: string): string {
  const { folder, all, tried, killed, hung, equivalent, seed } = score;
  return `| ${[`src/${folder}`, all, tried, killed, hung, equivalent, scoreText(score), date, seed].join(' | ')} |`;
}

/** Puts rows into the table of the page in place of those of the same folders. */
export function writeRows(scores: readonly FolderScore[], date: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const start = page.indexOf(HEAD);
  if (start === -1) throw new Error(`docs/mutation.md has no table that starts with ${HEAD}`);
  const end = page.indexOf('\n\n', start);
  const rows = new Map(
    page
      .slice(start, end)
      .split('\n')
      .slice(2)
      .map((line) => [line.split(' | ')[0], line]),
  );
  for (const score of scores) {
    const line = row(score, date);
    rows.set(line.split(' | ')[0], line);
  }
  const sorted = [...rows.values()].toSorted();
  writeFileSync(PAGE, `${page.slice(0, start)}${[HEAD, RULE, ...sorted].join('\n')}${page.slice(end)}`);
}
