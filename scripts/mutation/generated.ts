// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants -- --generated`: breaks every folder of src in ways that are made from its syntax tree, one at a time, and
// runs the tests that run the place. See docs/mutation.md.

import { existsSync } from 'node:fs';
import { repositoryFile, repositoryFiles } from '../repository-files.js';
import { patternOption, usageError, wholeOption } from '../script-options.js';
import { Coverage } from './coverage.js';
import { equivalence, outdated } from './equivalents.js';
import { inSeededOrder, type Mutation, mutationsOf } from './mutations.js';
import { isNoticed, type Result, Results } from './results.js';
import { type FolderScore, scoreText, writeRows } from './table.js';
import { compiledFile, TrialTree } from './trial-tree.js';
import { tryMutation } from './trial.js';

const LAST_SEED = 2 ** 31 - 1;

export interface GeneratedOptions {
  readonly seed: number;
  /** Below src; all unless given. */
  readonly folders?: readonly string[];
  /** Only files whose path matches, for a look at a part of a folder: the table is about whole folders. */
  readonly files?: RegExp;
  /** How many a folder, those that are known to be equivalent not among them; Infinity for all. */
  readonly sample: number;
  readonly jobs: number;
  /** Of the tests that run a place, as many as take so long together. */
  readonly budgetSeconds: number;
  /** Tries again what survived by the results of this seed. */
  readonly retriesSurvivors?: boolean;
  /** Writes the scores into docs/mutation.md. */
  readonly writesTable?: boolean;
}

export const DEFAULTS = { sample: 40, jobs: 2, budgetSeconds: 60 } as const;

/** The sources of src, by folder. */
function sourcesByFolder(): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const file of repositoryFiles()) {
    const [, folder] = /^src\/([^/]+)\/.*\.ts$/.exec(file) ?? [];
    // What is made for browsers is not compiled here.
    if (folder !== undefined && existsSync(repositoryFile(compiledFile(file))))
      folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return folders;
}

interface Sample {
  readonly folder: string;
  readonly all: number;
  readonly equivalent: number;
  readonly mutations: readonly Mutation[];
}

function sampleOf(folder: string, inFolder: readonly string[], options: GeneratedOptions): Sample {
  const { seed, sample, files } = options;
  const chosen = files === undefined ? inFolder : inFolder.filter((file) => files.test(file));
  const all = inSeededOrder(
    chosen.flatMap((file) => mutationsOf(file)),
    seed,
  );
  const mutations: Mutation[] = [];
  let equivalent = 0;
  for (const mutation of all) {
    if (mutations.length >= sample) break;
    if (equivalence(mutation) === undefined) mutations.push(mutation);
    else equivalent += 1;
  }
  return { folder, all: all.length, equivalent, mutations };
}

/** Tries a sample of each folder; returns whether each has a score of 95 % and nothing in the list of equivalents is outdated. */
export async function runGenerated(options: GeneratedOptions): Promise<boolean> {
  const { seed, jobs, budgetSeconds, retriesSurvivors = false } = options;
  const byFolder = sourcesByFolder();
  const folders = options.folders ?? [...byFolder.keys()];
  const samples = folders.map((folder) => {
    const files = byFolder.get(folder);
    if (files === undefined)
      usageError(`--folder: there is no folder src/${folder}: expected ${[...byFolder.keys()].join(', ')}`);
    return sampleOf(folder, files, options);
  });
  const complaints = outdated((file) => (existsSync(repositoryFile(file)) ? mutationsOf(file) : []));
  for (const complaint of complaints) console.log(complaint);
  if (!existsSync(repositoryFile(compiledFile('test/run-files.ts'))))
    throw new Error('build is not there: run `npm run compile` first');
  console.log(`seed ${seed}`);
  const results = new Results(seed);
  const isWaiting = (mutation: Mutation): boolean => {
    const known = results.of(mutation);
    return known === undefined || (retriesSurvivors && !isNoticed(known));
  };
  const scores: FolderScore[] = [];
  const finish = (sample: Sample): void => {
    const score = scoreOfSample(sample, results, seed);
    scores.push(score);
    console.log(
      `src/${score.folder}: ${score.killed} of ${score.tried} noticed, ${scoreText(score)}; ` +
        `${score.equivalent} equivalent; ${score.all} in all`,
    );
    if (options.writesTable) writeRows([score], new Date().toISOString().slice(0, 10));
  };
  if (!samples.some(({ mutations }) => mutations.some(isWaiting))) {
    for (const sample of samples) finish(sample);
  } else {
    await inTrees(jobs, async (trees) => {
      const coverage = await Coverage.measure(trees);
      for (const sample of samples) {
        const waiting = sample.mutations.filter(isWaiting);
        const work = async (tree: TrialTree): Promise<void> => {
          for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
            const verdict = await tryMutation(mutation, tree, coverage, budgetSeconds * 1000);
            const result = results.add(mutation, verdict);
            if (!isNoticed(verdict)) console.log(survivorText(result));
          }
        };
        await Promise.all(trees.map(work));
        finish(sample);
      }
    });
  }
  return complaints.length === 0 && scores.every(({ tried, killed }) => killed >= 0.95 * tried);
}

/** Has a task done in some trees, which are gone afterwards, even if a signal ends the program. */
async function inTrees(
  count: number,
  task: (trees: readonly [TrialTree, ...TrialTree[]]) => Promise<void>,
): Promise<void> {
  const trees: [TrialTree, ...TrialTree[]] = [new TrialTree()];
  while (trees.length < count) trees.push(new TrialTree());
  const removeTrees = (): void => {
    for (const tree of trees) tree.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      removeTrees();
      process.kill(process.pid, signal);
    });
  }
  try {
    await task(trees);
  } finally {
    removeTrees();
  }
}

function scoreOfSample(
  { folder, mutations, equivalent, all }: Sample,
  results: Results,
  seed: number,
): FolderScore {
  const verdicts = mutations.map((mutation) => results.of(mutation)).filter((known) => known !== undefined);
  const killed = verdicts.filter(isNoticed).length;
  const hung = verdicts.filter(({ outcome }) => outcome === 'hung').length;
  return { folder, all, tried: verdicts.length, killed, hung, equivalent, seed };
}

const survivorText = ({ outcome, file, line, kind, before, after }: Result): string =>
  `${outcome}: ${file}:${line} ${kind}\n    ${before}\n    ${after}`;

/** What the command line has of `--generated`, as text. */
export interface GeneratedValues {
  readonly folder?: readonly string[] | undefined;
  readonly files?: string | undefined;
  readonly sample?: string | undefined;
  readonly seed?: string | undefined;
  readonly jobs?: string | undefined;
  readonly budget?: string | undefined;
  readonly again?: boolean | undefined;
  readonly write?: boolean | undefined;
}

/** The options that these values stand for; the process exits with 2 if one of them is not as it must be. */
export function optionsOf(values: GeneratedValues): GeneratedOptions {
  const { folder, files, sample, seed, jobs, budget, again = false, write = false } = values;
  if (files !== undefined && write)
    usageError('--files and --write are mutually exclusive: the table is about whole folders');
  const whole = (name: string, text: string | undefined, max: number, preset: number): number =>
    text === undefined ? preset : wholeOption(name, text, max);
  return {
    seed: whole('--seed', seed, LAST_SEED, Date.now() % LAST_SEED),
    sample: sample === 'all' ? Infinity : whole('--sample', sample, 1_000_000, DEFAULTS.sample),
    jobs: whole('--jobs', jobs, 64, DEFAULTS.jobs),
    budgetSeconds: whole('--budget', budget, 3600, DEFAULTS.budgetSeconds),
    retriesSurvivors: again,
    writesTable: write,
    ...(folder === undefined ? {} : { folders: folder }),
    ...(files === undefined ? {} : { files: patternOption('--files', files) }),
  };
}
