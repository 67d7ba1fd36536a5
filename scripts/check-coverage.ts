// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Reads the coverage report that tap left and fails when a line, a branch or a function of the folders below was
// not run, when one of their files was not loaded at all, or when one of them tells the coverage tool to look away.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { conclude } from './conclude.js';
import { repositoryFiles, root } from './repository-files.js';

const FULLY_COVERED = ['src/scheduler/', 'src/replication/'];
const REPORT = '.tap/report/coverage-final.json';

interface Range {
  readonly start: { readonly line: number };
  readonly end: { readonly line: number };
}

/** What Istanbul's JSON report has on one file; the counts are keyed as the maps are. */
interface FileCoverage {
  readonly statementMap: Readonly<Record<string, Range>>;
  readonly s: Readonly<Record<string, number>>;
  readonly branchMap: Readonly<Record<string, { readonly locations: readonly Range[] }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
  readonly fnMap: Readonly<Record<string, { readonly name: string; readonly loc: Range }>>;
  readonly f: Readonly<Record<string, number>>;
}

/** `3-5, 9` for 3, 4, 5, 9. */
function asRanges(numbers: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const open = ranges.at(-1);
    if (open !== undefined && number <= open.last + 1) open.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

function notRun(file: string, coverage: FileCoverage): string[] {
  const lines = Object.entries(coverage.statementMap)
    .filter(([key]) => coverage.s[key] === 0)
    .map(([, range]) => range.start.line)
    .sort((a, b) => a - b);
  const branches = Object.entries(coverage.branchMap).flatMap(([key, branch]) =>
    branch.locations.filter((_, index) => coverage.b[key]?.[index] === 0).map((range) => range.start.line),
  );
  const functions = Object.entries(coverage.fnMap)
    .filter(([key]) => coverage.f[key] === 0)
    .map(([, { name, loc }]) => `${name} (line ${loc.start.line})`);
  const complaints: string[] = [];
  if (lines.length > 0) complaints.push(`${file}: lines not run: ${asRanges(lines)}`);
  if (branches.length > 0) {
    complaints.push(
      `${file}: branches not taken, at line: ${[...new Set(branches)].sort((a, b) => a - b).join(', ')}`,
    );
  }
  if (functions.length > 0) complaints.push(`${file}: functions not called: ${functions.join(', ')}`);
  return complaints;
}

/** Whether anything is left of a file to be run once its types are gone. */
function hasCode(source: string): boolean {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ESNext,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
  });
  return outputText.replace(/export \{\s*\};/g, '').trim() !== '';
}

function complaintsAbout(file: string, report: Readonly<Record<string, FileCoverage>>): string[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const complaints: string[] = [];
  if (/\b(?:c8|v8|istanbul|node:coverage) (?:ignore|disable)/.test(source)) {
    complaints.push(`${file}: a comment excludes code from coverage, which this folder does not allow`);
  }
  const coverage = report[path.join(root, file)];
  if (coverage !== undefined) complaints.push(...notRun(file, coverage));
  else if (hasCode(source)) complaints.push(`${file}: never loaded by a test`);
  return complaints;
}

if (!existsSync(path.join(root, REPORT))) {
  conclude('check-coverage', '', [`${REPORT}: no such file; run the tests with coverage first`]);
}
const report = JSON.parse(readFileSync(path.join(root, REPORT), 'utf8')) as Record<string, FileCoverage>;
const files = repositoryFiles().filter(
  (file) => FULLY_COVERED.some((folder) => file.startsWith(folder)) && /(?<!\.d)\.ts$/.test(file),
);
const complaints = files.flatMap((file) => complaintsAbout(file, report));
if (files.length === 0) complaints.push(`no source file in ${FULLY_COVERED.join(' or ')}`);
conclude(
  'check-coverage',
  `every line, branch and function of the ${files.length} files in ${FULLY_COVERED.join(' and ')} was run`,
  complaints,
);
