// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { firstDifference } from './comparison.js';
import { inProcess, ownScheduler } from './implementation.js';
import type { Vector } from './vector.js';

/**
 * How many entries of a vector's trace there are when each of its steps has ended; before them, how many there are before the
 * first step. A trace does not say so itself: longer and longer beginnings of the script are run on this package's implementation.
 *
 * @returns fewer than there are steps where the trace leaves what this package does
 */
export async function stepEnds(vector: Vector): Promise<number[]> {
  const own = inProcess(ownScheduler);
  const expected = vector.trace ?? [];
  const ends: number[] = [];
  for (let count = 0; count <= vector.steps.length; count++) {
    // What stands in a part of a vector is what stood in the whole.
    const trace = await own.run({ ...vector, steps: vector.steps.slice(0, count) } as Vector);
    const known = firstDifference(expected.slice(0, trace.length), trace);
    if (known !== undefined) break;
    ends.push(trace.length);
  }
  return ends;
}
