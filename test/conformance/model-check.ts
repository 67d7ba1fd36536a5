// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { firstDifference } from '../../src/conformance/comparison.js';
import { ownScheduler, referenceScheduler } from '../../src/conformance/implementation.js';
import { vectorFileText } from '../../src/conformance/record.js';
import { runSchedulerScript } from '../../src/conformance/scheduler-driver.js';
import type { SchedulerFactory } from '../../src/conformance/scheduler-under-test.js';
import type { SchedulerStep, SchedulerVector, SelectScript } from '../../src/conformance/vector.js';
import { program, type Program } from './programs.js';

/** A program on which the two part: what was written where, and what there is to say of it. */
export interface ModelFailure {
  readonly vector: SchedulerVector;
  readonly file: string;
  readonly message: string;
}

/**
 * Runs random programs on the reference scheduler and on the one under test.
 *
 * @returns the failure, its program shrunk and written to `directory` as a vector file with the trace that the reference
 *   gives; undefined when all programs gave equal traces
 */
export async function checkModel(
  { seed, runs, directory = tmpdir() }: { seed: number; runs: number; directory?: string },
  create: SchedulerFactory = ownScheduler,
): Promise<ModelFailure | undefined> {
  const property = fc.asyncProperty(
    program,
    async (chosen) => (await failureOf(chosen, create)) === undefined,
  );
  const result = await fc.check(property, { seed, numRuns: runs });
  const shrunk = result.counterexample?.[0];
  if (!result.failed || shrunk === undefined) return undefined;
  const message = (await failureOf(shrunk, create)) ?? 'the failure does not show again';
  const vector = await vectorOf(shrunk);
  const file = join(directory, `tapdisk-ts-model-${seed}.json`);
  writeFileSync(file, vectorFileText([vector]));
  return { vector, file, message: `seed ${seed}, program ${result.numRuns}: ${message}` };
}

async function failureOf(chosen: Program, create: SchedulerFactory): Promise<string | undefined> {
  const vector = await vectorOf(chosen);
  try {
    const difference = firstDifference(vector.trace ?? [], await runSchedulerScript(vector, create));
    return difference && JSON.stringify(difference);
  } catch (error) {
    return String(error);
  }
}

/** The program as a vector: select's answers settled by what is asked for, and the reference's trace. */
export async function vectorOf({ script, closed }: Program): Promise<SchedulerVector> {
  const answers: SelectScript[] = [];
  const trace = await runSchedulerScript(script, referenceScheduler, (said, interest) => {
    const isBad = closed[answers.length]?.some((fd) => interest.conditions(fd) !== 0) ?? false;
    const answer = isBad ? { elapse: said.elapse ?? 0, errno: 'EBADF' } : said;
    answers.push(answer);
    return answer;
  });
  let waits = 0;
  const steps = script.steps.map((step): SchedulerStep =>
    step[0] === 'wait' ? ['wait', answers[waits++] ?? step[1]] : step,
  );
  return { ...script, steps, trace };
}
