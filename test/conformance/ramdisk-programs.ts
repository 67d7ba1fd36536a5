// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { firstDifference } from '../../src/conformance/comparison.js';
import { runRamdiskScript } from '../../src/conformance/ramdisk-driver.js';
import { ReferenceRamdisk } from '../../src/conformance/reference-ramdisk.js';
import type { RamdiskStep, RamdiskVector, TraceEntry } from '../../src/conformance/vector.js';
import { Random } from '../../src/testing/random.js';

/** Few enough that runs touch and overlap all the time. */
const SECTORS = 10;
const LONGEST = 4;
const MOST_STEPS = 40;

/** A step that makes sense on a ramdisk as it is. */
function randomStep(random: Random, inFlight: readonly number[]): RamdiskStep {
  const cache = random.chance(0.7) ? 'primary' : 'secondary';
  const sector = random.integer(0, SECTORS - 1);
  const count = random.integer(0, LONGEST);
  const kind = random.integer(0, 99);
  if (kind < 30) {
    return ['cacheWrite', cache, sector, Array.from({ length: count }, () => random.integer(0, 999))];
  }
  if (kind < 50) return ['startFlush', cache];
  if (kind < 72 && inFlight.length > 0) {
    return ['complete', random.pick(inFlight), random.chance(0.02) ? 'EIO' : 0];
  }
  if (kind < 82) return ['read', sector, count];
  if (kind < 88) return ['readFromCache', cache, sector, count];
  if (kind < 91) return ['clearCache', cache];
  if (kind < 95) return ['flushPended'];
  return ['writesInflight'];
}

/** A random script with the naive ramdisk's trace of it. */
export function randomRamdiskVector(random: Random): RamdiskVector {
  const suite = random.chance(0.7) ? 'ramdisk-guarded' : 'ramdisk';
  const reference = new ReferenceRamdisk(suite === 'ramdisk-guarded');
  const steps: RamdiskStep[] = [];
  const length = random.integer(1, MOST_STEPS);
  let goesOn = true;
  while (goesOn && steps.length < length) {
    const step = randomStep(random, reference.inFlight);
    steps.push(step);
    goesOn = reference.play(step);
  }
  if (goesOn && random.chance(0.3)) {
    steps.push(['destroy']);
    reference.play(['destroy']);
  }
  return { suite, name: 'random', steps, trace: reference.trace };
}

/** Where a random script's trace differs from the naive ramdisk's, in words; undefined when none of so many does. */
export function checkRamdisk({ seed, runs }: { seed: number; runs: number }): string | undefined {
  const random = new Random(seed);
  for (let run = 0; run < runs; run++) {
    const vector = randomRamdiskVector(random);
    const difference = firstDifference(vector.trace as TraceEntry[], runRamdiskScript(vector));
    if (difference === undefined) continue;
    const { index, expected, actual } = difference;
    return `run ${run} of seed ${seed}, entry ${index}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}; ${JSON.stringify(vector)}`;
  }
  return undefined;
}
