// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import path from 'node:path';
import type { Coverage } from './coverage.js';
import type { Mutation } from './mutations.js';
import type { TrialTree } from './trial-tree.js';

/** What became of a mutant. */
export interface Verdict {
  readonly outcome: 'killed' | 'hung' | 'survived' | 'not run';
  /** What failed first. */
  readonly by: string;
  readonly milliseconds: number;
}

/** Tests of about this much time share a process: the first, in which most mutants are noticed, and the others. */
const FIRST_BATCH_MILLISECONDS = 6_000;
const BATCH_MILLISECONDS = 20_000;
/** A batch may take this many times what it took on the tree as it is, and no less than the time after it. */
const PATIENCE = 4;
const MIN_DEADLINE_MILLISECONDS = 15_000;

/** How far a test is from a source: 0 is its own, 1 its directory's, 2 its folder's. */
function distance(test: string, source: string): number {
  const inTest = source.replace(/^src\//, 'test/');
  if (test === inTest.replace(/\.ts$/, '.test.ts')) return 0;
  if (path.dirname(test) === path.dirname(inTest)) return 1;
  return test.split('/')[1] === inTest.split('/')[1] ? 2 : 3;
}

interface Batch {
  readonly tests: string[];
  milliseconds: number;
  readonly isFar: boolean;
}

/** The nearest tests first, and of them those that run most of the source in the least time, as many as fit into a budget of time; always at least one. */
function batchesFor(mutation: Mutation, coverage: Coverage, budgetMilliseconds: number): Batch[] {
  const tests = coverage
    .testsOf(mutation)
    .map((test) => ({
      test,
      far: distance(test, mutation.file),
      milliseconds: coverage.milliseconds(test),
      // The more of the source a test runs, and the quicker, the likelier it is to notice soon.
      cost: coverage.milliseconds(test) / (1 + coverage.charactersRun(test, mutation.file)),
    }))
    .toSorted((a, b) => a.far - b.far || a.cost - b.cost);
  const batches: Batch[] = [];
  let spent = 0;
  for (const { test, far, milliseconds } of tests) {
    if (spent > 0 && spent + milliseconds > budgetMilliseconds) continue;
    spent += milliseconds;
    const last = batches.at(-1);
    const isFar = far > 2;
    const most = batches.length > 1 ? BATCH_MILLISECONDS : FIRST_BATCH_MILLISECONDS;
    if (last !== undefined && last.isFar === isFar && last.milliseconds + milliseconds <= most) {
      last.tests.push(test);
      last.milliseconds += milliseconds;
    } else {
      batches.push({ tests: [test], milliseconds, isFar });
    }
  }
  return batches;
}

/** Breaks a tree by one mutation and runs tests until one notices. */
export async function tryMutation(
  mutation: Mutation,
  tree: TrialTree,
  coverage: Coverage,
  budgetMilliseconds: number,
): Promise<Verdict> {
  const started = performance.now();
  const batches = batchesFor(mutation, coverage, budgetMilliseconds);
  const end = (outcome: Verdict['outcome'], by: string): Verdict => ({
    outcome,
    by,
    milliseconds: Math.round(performance.now() - started),
  });
  if (batches.length === 0) return end('not run', '');
  return await tree.withMutation(mutation, async () => {
    for (const { tests, milliseconds, isFar } of batches) {
      const deadlineMilliseconds = Math.max(MIN_DEADLINE_MILLISECONDS, milliseconds * PATIENCE);
      const first = await tree.run(tests, { deadlineMilliseconds });
      if (first.ending === 'passed') continue;
      // A test of something else that fails may be one that fails now and then.
      const run =
        isFar && first.ending === 'failed' ? await tree.run(tests, { deadlineMilliseconds }) : first;
      if (run.ending === 'passed') continue;
      return end(run.ending === 'hung' ? 'hung' : 'killed', run.failure);
    }
    return end('survived', '');
  });
}
