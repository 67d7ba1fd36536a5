// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Fails when the last run of the tests left a line, a branch or a function of the folders below out, when one of
// their files was not loaded at all, or when one of them tells the coverage tool to look away. Other folders can be named
// on the command line; there the exceptions of coverage-exceptions.ts hold.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { conclude } from './conclude.js';
import { exceptionFor } from './coverage-exceptions.js';
import { repositoryFiles, root } from './repository-files.js';
import { uncoveredCode, type UncoveredCode } from './uncovered-code.js';

/** Here nothing is excepted. */
const DEMANDED = ['src/scheduler/', 'src/replication/'];
const FULLY_COVERED = process.argv.length > 2 ? process.argv.slice(2) : DEMANDED;

function isDemanded(file: string): boolean {
  return DEMANDED.some((folder) => file.startsWith(folder));
}

function isFullyCovered(file: string): boolean {
  return FULLY_COVERED.some((folder) => file.startsWith(folder)) && /(?<!\.d)\.ts$/.test(file);
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

/** Places that were not run and need not be. */
let excepted = 0;

function complaintsAbout(file: string, uncovered: readonly UncoveredCode[] | undefined): string[] {
  const source = readFileSync(path.join(root, file), 'utf8');
  const complaints: string[] = [];
  if (/\b(?:c8|v8|istanbul|node:coverage) (?:ignore|disable)/.test(source)) {
    complaints.push(`${file}: a comment excludes code from coverage, which this folder does not allow`);
  }
  if (uncovered === undefined) {
    return hasCode(source) ? [...complaints, `${file}: never loaded by a test`] : complaints;
  }
  const lines = source.split('\n');
  for (const { line, column, lastLine } of uncovered) {
    const code = lines[line - 1]?.slice(column - 1) ?? '';
    if (!isDemanded(file) && exceptionFor(file, code) !== undefined) {
      excepted += 1;
      continue;
    }
    const until = lastLine > line ? ` (to line ${lastLine})` : '';
    complaints.push(`${file}:${line}:${column}: not run${until}: ${code}`);
  }
  return complaints;
}

const wanted = new Map(
  repositoryFiles()
    .filter(isFullyCovered)
    .map((file) => [pathToFileURL(path.join(root, 'build', file.replace(/\.ts$/, '.js'))).href, file]),
);
const uncovered = uncoveredCode(path.join(root, '.tap', 'v8'), (url) => wanted.has(url));
const complaints = [...wanted].flatMap(([url, file]) => complaintsAbout(file, uncovered.get(url)));
if (wanted.size === 0) complaints.push(`no source file in ${FULLY_COVERED.join(' or ')}`);
const exceptions = excepted > 0 ? `, but for ${excepted} places that are named with a reason` : '';
conclude(
  'check-coverage',
  `every line, branch and function of the ${wanted.size} files in ${FULLY_COVERED.join(' and ')} was run${exceptions}`,
  complaints,
);
