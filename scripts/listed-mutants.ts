// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants [-- RE]` without `--generated`: breaks the scheduler, the replication module, the VHD driver and the engine of
// replicated disks in one small way after the other, in a copy of the tree, and prints who noticed. Exits with 1 when a mutant is noticed by nobody, or the tree as it is by somebody.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { type Mutant, mutate } from './mutant.js';
import { MUTANTS } from './mutant-list.js';
import { root } from './repository-files.js';

/** Those that run the scheduler and the connect module, those that run tapdisk3's scheduler, and those that run the ramdisk or VHDs. */
const OWN_DETECTORS = ['vectors', 'model', 'small scope', 'walk', 'simulation'] as const;
const DETECTORS = [
  ...OWN_DETECTORS,
  'tapdisk3 model',
  'tapdisk3 small scope',
  'ramdisk model',
  'disk order',
  'disk growth',
  'disk format',
  'disk model',
  'crash',
  'decisions',
  'rot',
  'prefixes',
  'lives',
] as const;
/** One of these, or a file of tests. */
type Detector = string;
/** The column of those that a file of tests is for. */
const TESTS = 'tests';
const COPIED = ['src', 'scripts', 'test', 'package.json', 'tsconfig.json'];
/** A mutant may hang; on the tree as it is all detectors together take a tenth of this. */
const SILENCE_MILLISECONDS = 60_000;

/** What each detector noticed; null for nothing. */
type Verdict = ReadonlyMap<Detector, string | null>;

function copyTree(): string {
  const tree = mkdtempSync(path.join(tmpdir(), 'tapdisk-ts-mutants-'));
  for (const name of COPIED) cpSync(path.join(root, name), path.join(tree, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  return tree;
}

/** Runs detectors in a tree until all have told, or one hangs. */
function detect(tree: string, detectors: readonly Detector[]): Promise<[Detector, string | null][]> {
  const child = spawn(process.execPath, ['--import=tsx', 'scripts/detect-mutant.ts', ...detectors], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told: [Detector, string | null][] = [];
  let output = '';
  let errors = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), SILENCE_MILLISECONDS);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    timer.refresh();
    const lines = (output + text).split('\n');
    output = lines.pop() ?? '';
    told.push(...lines.map((line) => JSON.parse(line) as [Detector, string | null]));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const next = detectors[told.length];
      // The one that was running noticed, in its way.
      if (next !== undefined)
        told.push([next, signal === null ? `exit status ${status}: ${errors}` : 'hangs']);
      resolve(told);
    });
  });
}

async function verdictOn(tree: string, detectors: readonly Detector[] = DETECTORS): Promise<Verdict> {
  const verdict = new Map<Detector, string | null>();
  while (verdict.size < detectors.length) {
    for (const [name, noticed] of await detect(tree, detectors.slice(verdict.size)))
      verdict.set(name, noticed);
  }
  return verdict;
}

function detectorsOf({ detectors }: Mutant): readonly Detector[] {
  return detectors ?? OWN_DETECTORS;
}

async function verdictOnMutant(tree: string, mutant: Mutant): Promise<Verdict> {
  const file = path.join(tree, 'src', mutant.file);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, mutate(text, mutant));
  try {
    return await verdictOn(tree, detectorsOf(mutant));
  } finally {
    writeFileSync(file, text);
  }
}

function row(verdict: Verdict, name: string): string {
  const byTests = [...verdict].find(([detector]) => detector.startsWith('test/'));
  const cells = [...DETECTORS, TESTS].map((column) => {
    const noticed = column === TESTS ? byTests?.[1] : verdict.get(column);
    return ((noticed ?? null) === null ? '' : 'x').padEnd(column.length);
  });
  return `${cells.join('  ')}  ${name}`;
}

const pattern = new RegExp(process.argv[2] ?? '', 'u');
const chosen = MUTANTS.filter(({ rule, title, file }) => pattern.test(`${rule} ${title} (${file})`));
const trees = Array.from({ length: Math.min(availableParallelism(), chosen.length) }, copyTree);
try {
  const [tree] = trees;
  if (tree === undefined) throw new Error(`no mutant matches ${pattern.source}`);
  const needed = [...new Set(chosen.flatMap((mutant) => detectorsOf(mutant)))];
  for (const [detector, noticed] of await verdictOn(tree, needed)) {
    if (noticed !== null) throw new Error(`${detector} complains of the tree as it is: ${noticed}`);
  }
  console.log(`${[...DETECTORS, TESTS].join('  ')}  mutant`);
  const waiting = [...chosen];
  let survivors = 0;
  const work = async (own: string): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await verdictOnMutant(own, mutant);
      const isCaught = [...verdict.values()].some((noticed) => noticed !== null);
      if (!isCaught) survivors += 1;
      const name = `${mutant.rule} ${mutant.title} (${mutant.file})`;
      console.log(row(verdict, isCaught ? name : `SURVIVED: ${name}`));
    }
  };
  await Promise.all(trees.map(work));
  console.log(`${chosen.length} mutants, ${survivors} survived`);
  process.exitCode = survivors === 0 ? 0 : 1;
} finally {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
}
