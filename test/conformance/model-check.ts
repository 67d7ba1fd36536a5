// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { firstDifference } from '../../src/conformance/comparison.js';
import {
  ownScheduler,
  ownTapdisk3Scheduler,
  referenceScheduler,
  referenceTapdisk3Scheduler,
} from '../../src/conformance/implementation.js';
import { vectorFileText } from '../../src/conformance/record.js';
import { runSchedulerScript } from '../../src/conformance/scheduler-driver.js';
import type { SchedulerFactory, Tapdisk3Factory } from '../../src/conformance/scheduler-under-test.js';
import { runTapdisk3Script } from '../../src/conformance/tapdisk3-driver.js';
import type {
  SchedulerStep,
  SchedulerVector,
  SelectScript,
  Tapdisk3Vector,
  Trace,
  Vector,
} from '../../src/conformance/vector.js';
import { program, type Program } from './programs.js';
import { tapdisk3Program } from './tapdisk3-programs.js';

/** A program on which the two part: what was written where, and what there is to say of it. */
export interface ModelFailure<Script = SchedulerVector> {
  readonly vector: Script;
  readonly file: string;
  readonly message: string;
}

/** How long to look, and where a failure is written: the system's directory for temporary files unless given. */
interface Search {
  readonly seed: number;
  readonly runs: number;
  readonly directory?: string;
}

/** A dialect's programs, its reference, and the scheduler that is held against it. */
interface Subject<Chosen, Script extends Vector> {
  readonly name: string;
  readonly program: fc.Arbitrary<Chosen>;
  /** The program as a vector, with the trace that the reference gives. */
  vectorOf(chosen: Chosen): Promise<Script>;
  run(vector: Script): Promise<Trace>;
}

/**
 * Runs random programs on the reference scheduler and on the one under test.
 *
 * @returns the failure, its program shrunk and written to `directory` as a vector file with the trace that the reference
 *   gives; undefined when all programs gave equal traces
 */
export function checkModel(
  search: Search,
  create: SchedulerFactory = ownScheduler,
): Promise<ModelFailure | undefined> {
  return check(search, {
    name: 'model',
    program,
    vectorOf,
    run: (vector) => runSchedulerScript(vector, create),
  });
}

/** {@link checkModel} of tapdisk3's dialect. */
export function checkTapdisk3Model(
  search: Search,
  create: Tapdisk3Factory = ownTapdisk3Scheduler,
): Promise<ModelFailure<Tapdisk3Vector> | undefined> {
  return check(search, {
    name: 'tapdisk3-model',
    program: tapdisk3Program,
    vectorOf: async (script) => ({
      ...script,
      trace: await runTapdisk3Script(script, referenceTapdisk3Scheduler),
    }),
    run: (vector) => runTapdisk3Script(vector, create),
  });
}

async function check<Chosen, Script extends Vector>(
  { seed, runs, directory = tmpdir() }: Search,
  subject: Subject<Chosen, Script>,
): Promise<ModelFailure<Script> | undefined> {
  const property = fc.asyncProperty(
    subject.program,
    async (chosen) => (await failureOf(chosen, subject)) === undefined,
  );
  const result = await fc.check(property, { seed, numRuns: runs });
  const shrunk = result.counterexample?.[0];
  if (!result.failed || shrunk === undefined) return undefined;
  const message = (await failureOf(shrunk, subject)) ?? 'the failure does not show again';
  const vector = await subject.vectorOf(shrunk);
  const file = join(directory, `tapdisk-ts-${subject.name}-${seed}.json`);
  writeFileSync(file, vectorFileText([vector]));
  return { vector, file, message: `seed ${seed}, program ${result.numRuns}: ${message}` };
}

async function failureOf<Chosen, Script extends Vector>(
  chosen: Chosen,
  subject: Subject<Chosen, Script>,
): Promise<string | undefined> {
  const vector = await subject.vectorOf(chosen);
  try {
    const difference = firstDifference(vector.trace ?? [], await subject.run(vector));
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
