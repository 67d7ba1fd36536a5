// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run conformance:table` writes the table of rules × implementations anew, between its two markers.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Adapter } from '../src/conformance/adapter.js';
import {
  type Implementation,
  inProcess,
  ownScheduler,
  referenceScheduler,
} from '../src/conformance/implementation.js';
import { runVectors } from '../src/conformance/suite-run.js';
import { ownVectorFiles, selectVectors } from '../src/conformance/vector-selection.js';
import { type Rule, rulesOf } from './semantics-rules.js';

const START = '<!-- conformance-table -->';
const END = '<!-- /conformance-table -->';
const TIMEOUT_SECONDS = 60;

/** A file of the repository, by its path from the root. */
export function repositoryFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** README.md, or docs/conformance.md as long as that one has no markers. */
export function tableFile(): string {
  const readme = repositoryFile('README.md');
  return markedPart(readIfThere(readme)) === undefined ? repositoryFile('docs/conformance.md') : readme;
}

/** What stands between the markers of a text; undefined without them. */
export function markedPart(text: string): string | undefined {
  const [, rest] = text.split(START);
  return rest?.includes(END) ? rest.split(END)[0] : undefined;
}

/** Runs every vector on every implementation and answers the table, with a line break at each end. */
export async function conformanceTable(): Promise<string> {
  const rules = rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8'));
  const columns: [string, Map<string, boolean>][] = [
    ['tapdisk-ts', await verdicts(inProcess(ownScheduler))],
    ['reference', await verdicts(inProcess(referenceScheduler))],
    ['adapter.mjs', await adapterVerdicts(process.execPath, 'examples/adapter-js/adapter.mjs')],
    ['adapter.py', await adapterVerdicts('python3', 'examples/adapter-python/adapter.py')],
  ];
  const rows = rules.map((rule) => {
    const names = rule.vectors.map((name) => `${rule.suite}/${name}`);
    return [linked(rule), ...columns.map(([, passed]) => share(names, passed))];
  });
  const [, all] = columns[0] ?? ['', new Map<string, boolean>()];
  const everything = ['all vectors', ...columns.map(([, passed]) => share([...all.keys()], passed))];
  const head = ['rule', ...columns.map(([name]) => name)];
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...rows, everything];
  return `\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}

async function adapterVerdicts(program: string, path: string): Promise<Map<string, boolean>> {
  const adapter = new Adapter({ program, args: [repositoryFile(path)], timeoutSeconds: TIMEOUT_SECONDS });
  try {
    return await verdicts(adapter);
  } finally {
    await adapter.stop();
  }
}

/** Whether each vector passed, by suite and name; those that were skipped are not there. */
async function verdicts(implementation: Implementation): Promise<Map<string, boolean>> {
  const results = await runVectors(selectVectors(ownVectorFiles()), implementation);
  const run = results.filter(({ outcome }) => outcome !== 'skipped');
  return new Map(run.map(({ name, outcome }) => [name, outcome === 'passed']));
}

function share(names: readonly string[], passed: ReadonlyMap<string, boolean>): string {
  const run = names.filter((name) => passed.has(name));
  return run.length === 0 ? '–' : `${run.filter((name) => passed.get(name)).length} of ${run.length}`;
}

function linked({ id, title }: Rule): string {
  const anchor = `${id}-${title}`
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
  const path = tableFile() === repositoryFile('README.md') ? 'docs/semantics.md' : 'semantics.md';
  return `[${id}](${path}#${anchor}) ${title}`;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = tableFile();
  const text = readFileSync(file, 'utf8');
  const part = markedPart(text);
  if (part === undefined) throw new Error(`${file} has no markers ${START} and ${END}`);
  writeFileSync(file, text.replace(`${START}${part}${END}`, `${START}${await conformanceTable()}${END}`));
}
