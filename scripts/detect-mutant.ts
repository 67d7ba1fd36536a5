// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Runs the detectors that it is given, in their order, on the tree that it stands in, and prints a line of JSON for each:
// [its name, what it noticed or null]. `npm run mutants` starts it in a mutated copy.

import { spawnSync } from 'node:child_process';
import { inProcess, ownScheduler } from '../src/conformance/implementation.js';
import { runVectors } from '../src/conformance/suite-run.js';
import { ownVectorFiles, selectVectors } from '../src/conformance/vector-selection.js';
import { simulate } from '../src/testing/simulation/simulate.js';
import { walkConnectModule } from '../test/conformance/connect-walk.js';
import { checkModel, checkTapdisk3Model } from '../test/conformance/model-check.js';
import { checkRamdisk } from '../test/conformance/ramdisk-programs.js';
import { exhaust, WORLDS } from '../test/conformance/small-scope.js';
import { REPLICATION_DETECTORS } from '../test/replication/disk/detectors.js';
import { exhaustTapdisk3, TAPDISK3_WORLDS } from '../test/conformance/tapdisk3-small-scope.js';

const PROGRAMS = 1000;
const SEQUENCE_LENGTH = 4;
const SEEDS = 40;
const DISK_SEEDS = 20;
const CRASH_SEEDS = 60;

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
  async 'ramdisk model'() {
    return checkRamdisk({ seed: 1, runs: PROGRAMS });
  },
  async 'small scope'() {
    for (const world of WORLDS) {
      const { difference } = await exhaust(world, SEQUENCE_LENGTH);
      if (difference !== undefined) return difference;
    }
    return undefined;
  },
  async 'tapdisk3 model'() {
    return (await checkTapdisk3Model({ seed: 1, runs: PROGRAMS }))?.message;
  },
  async 'tapdisk3 small scope'() {
    for (const world of TAPDISK3_WORLDS) {
      const { difference } = await exhaustTapdisk3(world, SEQUENCE_LENGTH);
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
  'disk order': async () => failureOfTest('order', 1),
  'disk growth': async () => failureOfTest('growth', 1),
  'disk format': async () => failureOfTest('format', 1),
  'disk model': async () => failureOfTest('model', DISK_SEEDS),
  crash: async () => failureOfTest('crash', CRASH_SEEDS),
  ...REPLICATION_DETECTORS,
};

/** The first assertion that fails in a file of tests of VHDs. */
function failureOfTest(name: string, seeds: number): string | undefined {
  return failureIn(`test/disks/drivers/vhd/${name}.test.ts`, { TEST_SEEDS: String(seeds) });
}

/** The first assertion that fails in a file of tests. */
function failureIn(file: string, variables: Readonly<Record<string, string>> = {}): string | undefined {
  const env = { ...process.env, TEST_SEED: '1', TAP_TIMEOUT: '0', ...variables };
  const { status, stdout } = spawnSync(process.execPath, ['--import=tsx', file], { encoding: 'utf8', env });
  return status === 0 ? undefined : (/not ok.*/.exec(stdout)?.[0] ?? `${file} ends with ${status}`);
}

for (const name of process.argv.slice(2)) {
  const detect = name.startsWith('test/') ? async () => failureIn(name) : detectors[name];
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
