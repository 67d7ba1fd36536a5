// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { firstDifference } from './comparison.js';
import { shorten } from './member.js';
import { type Implementation, ImplementationUnavailable, ScriptUnsupported } from './implementation.js';
import type { VectorFileItem } from './vector-file.js';
import type { VectorResult } from './vector-result.js';
import { type TraceEntry, type Vector, vectorName } from './vector.js';

/** One thing to run, and the file that it is from. */
export interface Assignment {
  readonly file: string;
  readonly item: VectorFileItem;
}

/** How {@link runVectors} goes about it. */
export interface RunVectorsOptions {
  /** How many run at a time; 1 unless given. */
  readonly jobs?: number;
  /** Start no more after a failure; false unless given. */
  readonly bail?: boolean;
  /** Called with each result as soon as all before it are there. */
  readonly onResult?: (result: VectorResult) => void;
}

/**
 * Runs vectors, up to `jobs` at a time, and returns their results in the vectors' order. Whatever an implementation does
 * is one vector's failure and never the end of the run.
 *
 * @throws (rejects with) ImplementationUnavailable
 */
export async function runVectors(
  assignments: readonly Assignment[],
  implementation: Implementation,
  { jobs = 1, bail = false, onResult = () => {} }: RunVectorsOptions = {},
): Promise<VectorResult[]> {
  const results: (VectorResult | undefined)[] = assignments.map(() => undefined);
  let taken = 0;
  let reported = 0;
  const worker = async (): Promise<void> => {
    while (taken < assignments.length) {
      const index = taken++;
      results[index] = await runOne(assignments[index] as Assignment, implementation);
      for (let result = results[reported]; result !== undefined; result = results[reported]) {
        onResult(result);
        reported++;
      }
      if (bail && results[index]?.outcome === 'failed') taken = assignments.length;
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results.filter((result) => result !== undefined);
}

async function runOne({ file, item }: Assignment, implementation: Implementation): Promise<VectorResult> {
  if (item.kind === 'fault') {
    const { vector, message } = item.fault;
    return {
      file,
      name: vector ?? file,
      outcome: 'failed',
      reason: `bad vector: ${message}`,
      milliseconds: 0,
    };
  }
  const { vector } = item;
  const start = performance.now();
  const verdict = await judge(vector, implementation);
  return {
    file,
    name: vectorName(vector),
    ...(vector.about === undefined ? {} : { about: vector.about }),
    ...verdict,
    milliseconds: performance.now() - start,
  };
}

async function judge(
  vector: Vector,
  implementation: Implementation,
): Promise<Pick<VectorResult, 'outcome' | 'reason' | 'traces' | 'bug'>> {
  const expected = vector.trace ?? [];
  try {
    const actual = await implementation.run(vector);
    const difference = firstDifference(expected, actual);
    if (difference === undefined) return { outcome: 'passed', ...bugOf(vector, 'dies') };
    // Where the C process died, what follows is free: a port that goes on conforms as well as one that dies.
    if (difference.expected?.[0] === 'panic') return { outcome: 'passed', ...bugOf(vector, 'goes on') };
    const reason = `entry ${difference.index}: expected ${show(difference.expected)}, got ${show(difference.actual)}`;
    return { outcome: 'failed', reason, traces: { expected, actual } };
  } catch (error) {
    if (error instanceof ImplementationUnavailable) throw error;
    if (error instanceof ScriptUnsupported) return { outcome: 'skipped', reason: error.message };
    return {
      outcome: 'failed',
      reason: `no trace: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** A vector that ends in the C's death has the bug's name. */
function bugOf({ trace, ...vector }: Vector, here: 'dies' | 'goes on'): Pick<VectorResult, 'bug'> {
  if (trace?.at(-1)?.[0] !== 'panic') return {};
  return { bug: { name: ('bug' in vector && vector.bug) || 'without a name', here } };
}

function show(entry: TraceEntry | undefined): string {
  return entry === undefined ? 'the end' : shorten(entry, 500);
}
