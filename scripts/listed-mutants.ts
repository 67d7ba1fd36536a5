// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants [-- RE] [--first]` without `--generated`: breaks the scheduler, the replication module, the VHD driver and the engine of
// replicated disks in one small way after the other, in a copy of the tree, and prints who noticed; with `--first` only who noticed first. Exits with 1 when a mutant is noticed by nobody, or the tree as it is by somebody.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { type Mutant, mutate } from './mutant.js';
import { MUTANTS } from './mutant-list.js';
import { root } from './repository-files.js';
import { usageError } from './script-options.js';

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
  'steps',
  'stores',
  'rot',
  'prefixes',
  'lives',
] as const;
/** One of these, or a file of tests. */
type Detector = string;
/** The column of those that a file of tests is for. */
const TESTS = 'tests';
const COPIED = ['src', 'scripts', 'test', 'package.json', 'tsconfig.json'];
/** A mutant hangs that takes this many times as long as the slowest detector on the tree as it is, and at least this long. */
const PATIENCE = 4;
const MIN_SILENCE_MILLISECONDS = 60_000;
/** How long a detector may take on the tree as it is. */
const MAX_SILENCE_MILLISECONDS = 600_000;

/** What each detector noticed; null for nothing. */
type Verdict = ReadonlyMap<Detector, string | null>;

function copyTree(): string {
  const tree = mkdtempSync(path.join(tmpdir(), 'tapdisk-ts-mutants-'));
  for (const name of COPIED) cpSync(path.join(root, name), path.join(tree, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  return tree;
}

interface Trial {
  readonly tree: string;
  /** A detector that prints nothing for so long hangs. */
  readonly silenceMilliseconds: number;
  /** The others are not asked once one has noticed something. */
  readonly stopsAtFirst: boolean;
}

/** Runs detectors in a tree until all have reported, or one hangs. */
function detect(
  { tree, silenceMilliseconds, stopsAtFirst }: Trial,
  detectors: readonly Detector[],
): Promise<[Detector, string | null][]> {
  const child = spawn(process.execPath, ['--import=tsx', 'scripts/detect-mutant.ts', ...detectors], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told: [Detector, string | null][] = [];
  let output = '';
  let errors = '';
  let hasNoticed = false;
  const timer = setTimeout(() => child.kill('SIGKILL'), silenceMilliseconds);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    timer.refresh();
    const lines = (output + text).split('\n');
    output = lines.pop() ?? '';
    told.push(...lines.map((line) => JSON.parse(line) as [Detector, string | null]));
    hasNoticed = told.some(([, noticed]) => noticed !== null);
    if (stopsAtFirst && hasNoticed) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const next = detectors[told.length];
      // The one that was running noticed, in its way.
      if (next !== undefined && !(stopsAtFirst && hasNoticed))
        told.push([next, signal === null ? `exit status ${status}: ${errors}` : 'hangs']);
      resolve(told);
    });
  });
}

async function verdictOn(trial: Trial, detectors: readonly Detector[]): Promise<Verdict> {
  const verdict = new Map<Detector, string | null>();
  while (verdict.size < detectors.length && !(trial.stopsAtFirst && isCaught(verdict))) {
    for (const [name, noticed] of await detect(trial, detectors.slice(verdict.size)))
      verdict.set(name, noticed);
  }
  return verdict;
}

function isCaught(verdict: Verdict): boolean {
  return [...verdict.values()].some((noticed) => noticed !== null);
}

function detectorsOf({ detectors }: Mutant): readonly Detector[] {
  return detectors ?? OWN_DETECTORS;
}

async function verdictOnMutant(trial: Trial, mutant: Mutant): Promise<Verdict> {
  const file = path.join(trial.tree, 'src', mutant.file);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, mutate(text, mutant));
  try {
    return await verdictOn(trial, detectorsOf(mutant));
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

/** Tries the mutants of the list that `pattern` matches, and prints who noticed each; returns whether each was noticed. */
export async function runListed(pattern: RegExp, stopsAtFirst: boolean): Promise<boolean> {
  const chosen = MUTANTS.filter(({ rule, title, file }) => pattern.test(`${rule} ${title} (${file})`));
  if (chosen.length === 0) usageError(`no mutant matches ${pattern.source}`);
  const trees = Array.from({ length: Math.min(availableParallelism(), chosen.length) }, copyTree);
  try {
    return (await survivorsOf(chosen, trees, stopsAtFirst)) === 0;
  } finally {
    for (const tree of trees) rmSync(tree, { recursive: true, force: true });
  }
}

/** How many mutants nobody noticed. */
async function survivorsOf(
  chosen: readonly Mutant[],
  trees: readonly string[],
  stopsAtFirst: boolean,
): Promise<number> {
  const [tree = ''] = trees;
  const needed = [...new Set(chosen.flatMap((mutant) => detectorsOf(mutant)))];
  let slowestMilliseconds = 0;
  for (const detector of needed) {
    const start = performance.now();
    const asIs = { tree, silenceMilliseconds: MAX_SILENCE_MILLISECONDS, stopsAtFirst };
    const noticed = (await verdictOn(asIs, [detector])).get(detector) ?? null;
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - start);
    if (noticed !== null) throw new Error(`${detector} complains of the tree as it is: ${noticed}`);
  }
  console.log(`${[...DETECTORS, TESTS].join('  ')}  mutant`);
  const waiting = [...chosen];
  let survivors = 0;
  const silenceMilliseconds = Math.max(MIN_SILENCE_MILLISECONDS, PATIENCE * slowestMilliseconds);
  const work = async (own: string): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await verdictOnMutant({ tree: own, silenceMilliseconds, stopsAtFirst }, mutant);
      if (!isCaught(verdict)) survivors += 1;
      const name = `${mutant.rule} ${mutant.title} (${mutant.file})`;
      console.log(row(verdict, isCaught(verdict) ? name : `SURVIVED: ${name}`));
    }
  };
  await Promise.all(trees.map(work));
  console.log(`${chosen.length} mutants, ${survivors} survived`);
  return survivors;
}
