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
  reference,
} from '../src/conformance/implementation.js';
import { runVectors } from '../src/conformance/suite-run.js';
import { tallyOf, type VectorResult } from '../src/conformance/vector-result.js';
import { ownVectorFiles, selectVectors } from '../src/conformance/vector-selection.js';
import { repositoryFile } from './repository-files.js';
import { pinningVectors, type Rule, rulesOf } from '../src/conformance/rules.js';

const START = '<!-- conformance-table -->';
const END = '<!-- /conformance-table -->';
const TIMEOUT_SECONDS = 60;
/** The interpreter of the example in Python. */
export const PYTHON = 'python3';

/** The file that has the table. */
export const tableFile = repositoryFile('docs/conformance.md');

/** What stands between the markers of a text; undefined without them. */
export function markedPart(text: string): string | undefined {
  const [, rest] = text.split(START);
  return rest?.includes(END) ? rest.split(END)[0] : undefined;
}

/** An implementation's results over all vectors. */
export interface Column {
  readonly name: string;
  readonly results: readonly VectorResult[];
}

/** Runs every vector on every implementation. */
export async function conformanceColumns(): Promise<Column[]> {
  return [
    { name: 'tapdisk-ts', results: await resultsOf(inProcess(ownScheduler)) },
    { name: 'reference', results: await resultsOf(reference) },
    {
      name: 'adapter.mjs',
      results: await adapterResults(process.execPath, 'examples/adapter-js/adapter.mjs'),
    },
    { name: 'adapter.py', results: await adapterResults(PYTHON, 'examples/adapter-python/adapter.py') },
  ];
}

/** The table of rules × implementations, with a line break at each end. */
export function conformanceTable(columns: readonly Column[]): string {
  const rules = rulesOf(readFileSync(repositoryFile('docs/semantics.md'), 'utf8'));
  const rows = rules.map((rule) => {
    const names = new Set(pinningVectors(rule));
    return [
      linked(rule),
      ...columns.map(({ results }) => share(results.filter(({ name }) => names.has(name)))),
    ];
  });
  const head = ['rule', ...columns.map(({ name }) => name)];
  const lines = [
    head,
    head.map((_, index) => (index === 0 ? '---' : '--:')),
    ...rows,
    ['all vectors', ...columns.map(({ results }) => share(results))],
  ];
  return `\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}

function resultsOf(implementation: Implementation): Promise<VectorResult[]> {
  return runVectors(selectVectors(ownVectorFiles()), implementation);
}

async function adapterResults(program: string, path: string): Promise<VectorResult[]> {
  const adapter = new Adapter({ program, args: [repositoryFile(path)], timeoutSeconds: TIMEOUT_SECONDS });
  try {
    return await resultsOf(adapter);
  } finally {
    await adapter.stop();
  }
}

/** How many passed of those that were not skipped. */
function share(results: readonly VectorResult[]): string {
  const { passed, failed } = tallyOf(results);
  return passed + failed === 0 ? '–' : `${passed} of ${passed + failed}`;
}

function linked({ id, title }: Rule): string {
  const anchor = `${id}-${title}`
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
  return `[${id}](semantics.md#${anchor}) ${title}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(tableFile, 'utf8');
  const part = markedPart(text);
  if (part === undefined) throw new Error(`${tableFile} has no markers ${START} and ${END}`);
  writeFileSync(
    tableFile,
    text.replace(`${START}${part}${END}`, `${START}${conformanceTable(await conformanceColumns())}${END}`),
  );
}
