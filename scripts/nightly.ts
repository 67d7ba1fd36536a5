// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run nightly [-- SEED] [--fuzz-minutes N]`: what the test run does a bounded part of, at length. A failing program is shrunk and written
// out as a vector file; the seed runs everything again.

import { runSimulate } from '../src/cli/simulate/simulate-command.js';
import { checkModel } from '../test/conformance/model-check.js';
import { checkRamdisk } from '../test/conformance/ramdisk-programs.js';
import { exhaust, WORLDS } from '../test/conformance/small-scope.js';
import { runMemoryNightly } from './nightly-memory.js';
import { runTapdisk3Nightly } from './nightly-tapdisk3.js';
import { runVhdNightly } from './nightly-vhd.js';
import { checkRing } from '../test/posix/node/file-ring/ring-model.js';
import { DEFAULT_FUZZ_MINUTES, runFuzzNightly } from './nightly-fuzz.js';
import { DEFAULTS, runGenerated } from './mutation/generated.js';
import { runReplicationNightly } from '../test/replication/disk/nightly.js';
import { positiveOption, scriptOptions, wholeOption } from './script-options.js';

const PROGRAMS = 100_000;
const RAMDISK_SCRIPTS = 50_000;
const LENGTH = 6;
const SIMULATIONS = 10_000;
const RING_SEEDS = 10_000;
/** Seeds of simulations begin below, so that all of them are 31-bit numbers. */
const LAST_SEED = 2 ** 31 - 1 - SIMULATIONS;

const USAGE = `npm run nightly [-- SEED] [--fuzz-minutes N]

  SEED              of all random choices (default: by the time)
  --fuzz-minutes N  how long each protocol is fuzzed (default: ${DEFAULT_FUZZ_MINUTES})`;

const {
  positionals: [given],
  values: { 'fuzz-minutes': fuzzMinutes = String(DEFAULT_FUZZ_MINUTES) },
} = scriptOptions(USAGE, { allowPositionals: true, options: { 'fuzz-minutes': { type: 'string' } } });
const fuzzSpan = positiveOption('--fuzz-minutes', fuzzMinutes);
const seed = given === undefined ? Date.now() % LAST_SEED : wholeOption('SEED', given, LAST_SEED);
console.log(`seed ${seed}`);

const failure = await checkModel({ seed, runs: PROGRAMS });
if (failure === undefined) {
  console.log(`${PROGRAMS} random programs: equal traces`);
} else {
  console.log(`random programs: ${failure.message}\nwritten to ${failure.file}`);
  process.exitCode = 1;
}

const ramdiskFailure = checkRamdisk({ seed, runs: RAMDISK_SCRIPTS });
console.log(`${RAMDISK_SCRIPTS} random scripts of the ramdisk: ${ramdiskFailure ?? 'equal traces'}`);
if (ramdiskFailure !== undefined) process.exitCode = 1;

for (const [index, world] of WORLDS.entries()) {
  const { tapes, difference } = await exhaust(world, LENGTH);
  console.log(
    `sequences of up to ${LENGTH} operations on events ${index + 1}: ${difference ?? `${tapes}, equal traces`}`,
  );
  if (difference !== undefined) process.exitCode = 1;
}

const fault = await checkRing(seed, RING_SEEDS);
console.log(`interleavings of a ring's atomic steps: ${fault ?? `${RING_SEEDS}, each call made once`}`);
if (fault !== undefined) process.exitCode = 1;

const status = await runSimulate(
  {
    seeds: { first: seed, last: seed + SIMULATIONS - 1 },
    seed: undefined,
    dialect: 'tapdisk2',
    trace: false,
  },
  process,
);
if (status !== 0) process.exitCode = status;

if (!(await runTapdisk3Nightly(seed))) process.exitCode = 1;
if (!(await runVhdNightly(seed))) process.exitCode = 1;
if (!(await runMemoryNightly())) process.exitCode = 1;
if (!(await runFuzzNightly(seed, fuzzSpan))) process.exitCode = 1;
if (!(await runReplicationNightly(seed))) process.exitCode = 1;
if (!(await runGenerated({ ...DEFAULTS, seed }))) process.exitCode = 1;
