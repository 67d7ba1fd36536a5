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
import { isExcepted } from './coverage-exceptions.js';
import { repositoryFiles, root } from './repository-files.js';
import { uncoveredCode, type UncoveredCode } from './uncovered-code.js';

/** Here nothing is excepted: the scheduler, and what is ported of the replication module. */
const DEMANDED = ['src/scheduler/', 'src/replication/'];
/** The engine of replicated disks has the same bounds as all of src: see `npm run coverage`. */
const NOT_DEMANDED = ['src/replication/disk/'];
const CHECKED = process.argv.length > 2 ? process.argv.slice(2) : DEMANDED;

function isIn(folders: readonly string[], file: string): boolean {
  if (folders === DEMANDED && NOT_DEMANDED.some((folder) => file.startsWith(folder))) return false;
  return folders.some((folder) => file.startsWith(folder));
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

interface Verdict {
  readonly complaints: readonly string[];
  /** How many places were not run and need not be. */
  readonly excepted: number;
}

function judge(file: string, uncovered: readonly UncoveredCode[] | undefined): Verdict {
  const source = readFileSync(path.join(root, file), 'utf8');
  const complaints: string[] = [];
  if (/\b(?:c8|v8|istanbul|node:coverage) (?:ignore|disable)/.test(source)) {
    complaints.push(`${file}: a comment excludes code from coverage, which this folder does not allow`);
  }
  if (uncovered === undefined) {
    if (hasCode(source)) complaints.push(`${file}: never loaded by a test`);
    return { complaints, excepted: 0 };
  }
  const lines = source.split('\n');
  const missed = uncovered.map((place) => ({
    ...place,
    code: lines[place.line - 1]?.slice(place.column - 1) ?? '',
  }));
  const wrong = isIn(DEMANDED, file) ? missed : missed.filter(({ code }) => !isExcepted(file, code));
  for (const { line, column, lastLine, code } of wrong) {
    const until = lastLine > line ? ` (to line ${lastLine})` : '';
    complaints.push(`${file}:${line}:${column}: not run${until}: ${code}`);
  }
  return { complaints, excepted: missed.length - wrong.length };
}

const wanted = new Map(
  repositoryFiles()
    .filter((file) => isIn(CHECKED, file) && /(?<!\.d)\.ts$/.test(file))
    .map((file) => [pathToFileURL(path.join(root, 'build', file.replace(/\.ts$/, '.js'))).href, file]),
);
const uncovered = uncoveredCode(path.join(root, '.tap', 'v8'), (url) => wanted.has(url));
const verdicts = [...wanted].map(([url, file]) => judge(file, uncovered.get(url)));
const complaints = verdicts.flatMap((verdict) => verdict.complaints);
const excepted = verdicts.reduce((sum, verdict) => sum + verdict.excepted, 0);
if (wanted.size === 0) complaints.push(`no source file in ${CHECKED.join(' or ')}`);
const exceptions = excepted > 0 ? `, but for ${excepted} places that are named with a reason` : '';
conclude(
  'check-coverage',
  `every line, branch and function of the ${wanted.size} files in ${CHECKED.join(' and ')} was run${exceptions}`,
  complaints,
);
