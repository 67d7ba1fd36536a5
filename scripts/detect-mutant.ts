// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs the detectors that it is given, in their order, on the tree that it stands in, and prints a line of JSON for each:
// [its name, what it noticed or null]. `npm run mutants` starts it in a mutated copy.

import { inProcess, ownScheduler } from '../src/conformance/implementation.js';
import { runVectors } from '../src/conformance/suite-run.js';
import { ownVectorFiles, selectVectors } from '../src/conformance/vector-selection.js';
import { simulate } from '../src/testing/simulation/simulate.js';
import { walkConnectModule } from '../test/conformance/connect-walk.js';
import { checkModel } from '../test/conformance/model-check.js';
import { exhaust, WORLDS } from '../test/conformance/small-scope.js';

const PROGRAMS = 1000;
const SEQUENCE_LENGTH = 4;
const SEEDS = 40;

/** What each noticed first, undefined for nothing. */
const detectors: Readonly<Record<string, () => Promise<string | undefined>>> = {
  async vectors() {
    const results = await runVectors(selectVectors(ownVectorFiles()), inProcess(ownScheduler));
    const failed = results.filter(({ outcome }) => outcome === 'failed');
    return failed[0] && `${failed.length} vectors, ${failed[0].name} first`;
  },
  async model() {
    return (await checkModel({ seed: 1, runs: PROGRAMS }))?.message;
  },
  async 'small scope'() {
    for (const world of WORLDS) {
      const { difference } = await exhaust(world, SEQUENCE_LENGTH);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
  async walk() {
    return walkConnectModule().broken;
  },
  async simulation() {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const [violation] = (await simulate(seed)).violations;
      if (violation !== undefined) return `seed ${seed}: ${violation}`;
    }
    return undefined;
  },
};

for (const name of process.argv.slice(2)) {
  const detect = detectors[name];
  if (detect === undefined) throw new RangeError(`there is no detector ${name}`);
  let noticed: string | undefined;
  try {
    noticed = await detect();
  } catch (error) {
    noticed = String(error);
  }
  process.stdout.write(`${JSON.stringify([name, noticed ?? null])}\n`);
}
// What a mutant left behind must not keep the process alive.
process.exit();
