// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run mutants -- --generated`: breaks every folder of src in ways that are made from its syntax tree, one at a time, and
// runs the tests that run the place. See docs/mutation.md.

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { repositoryFile, repositoryFiles } from '../repository-files.js';
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
      throw new RangeError(`there is no folder src/${folder}: expected ${[...byFolder.keys()].join(', ')}`);
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

/** Runs by the command line; returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      generated: { type: 'boolean' },
      folder: { type: 'string', multiple: true },
      files: { type: 'string' },
      sample: { type: 'string', default: String(DEFAULTS.sample) },
      seed: { type: 'string' },
      jobs: { type: 'string', default: String(DEFAULTS.jobs) },
      budget: { type: 'string', default: String(DEFAULTS.budgetSeconds) },
      again: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  });
  if (values.files !== undefined && values.write)
    throw new RangeError('--files and --write are mutually exclusive: the table is about whole folders');
  const seed = values.seed === undefined ? Date.now() % LAST_SEED : whole('--seed', values.seed, LAST_SEED);
  const succeeded = await runGenerated({
    seed,
    sample: values.sample === 'all' ? Infinity : whole('--sample', values.sample, 1_000_000),
    jobs: whole('--jobs', values.jobs, 64),
    budgetSeconds: whole('--budget', values.budget, 3600),
    retriesSurvivors: values.again ?? false,
    writesTable: values.write ?? false,
    ...(values.folder === undefined ? {} : { folders: values.folder }),
    ...(values.files === undefined ? {} : { files: new RegExp(values.files) }),
  });
  return succeeded ? 0 : 1;
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new RangeError(`${name} is ${text}, but must be a whole number from 1 to ${max}`);
  return value;
}
