// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What `npm run nightly` does of tapdisk3's dialect.

import { runSimulate } from '../src/cli/simulate/simulate-command.js';
import { repositoryFiles } from './repository-files.js';
import { checkTapdisk3Model } from '../test/conformance/model-check.js';
import { exhaustTapdisk3, TAPDISK3_WORLDS } from '../test/conformance/tapdisk3-small-scope.js';
import { runDaemonTests } from '../test/daemon/run-daemon-tests.js';

const PROGRAMS = 100_000;
/** Of operations in a sequence. One more would be half a million sequences for each choice of events. */
const LENGTH = 5;
const SIMULATIONS = 2_000;
/** All of the daemon's, but the one that runs some of them so. */
const DAEMON_TESTS = repositoryFiles()
  .map((file) => /^test\/daemon\/([^/]+)\.test\.ts$/.exec(file)?.[1] ?? 'dialect')
  .filter((name) => name !== 'dialect');

/** Prints what was run, and what failed. @returns whether nothing did */
export async function runTapdisk3Nightly(seed: number): Promise<boolean> {
  const results = [await programs(seed), await sequences(), await simulations(seed), await daemonTests()];
  return results.every(Boolean);
}

async function programs(seed: number): Promise<boolean> {
  const failure = await checkTapdisk3Model({ seed, runs: PROGRAMS });
  const written = failure && `${failure.message}\nwritten to ${failure.file}`;
  console.log(`tapdisk3: ${PROGRAMS} random programs: ${written ?? 'equal traces'}`);
  return failure === undefined;
}

async function sequences(): Promise<boolean> {
  let isEqual = true;
  for (const [index, world] of TAPDISK3_WORLDS.entries()) {
    const { tapes, difference } = await exhaustTapdisk3(world, LENGTH);
    const what = `sequences of up to ${LENGTH} operations on events ${index + 1}`;
    console.log(`tapdisk3: ${what}: ${difference ?? `${tapes}, equal traces`}`);
    isEqual &&= difference === undefined;
  }
  return isEqual;
}

async function simulations(seed: number): Promise<boolean> {
  console.log('tapdisk3: simulations');
  const seeds = { first: seed, last: seed + SIMULATIONS - 1 };
  return (await runSimulate({ seeds, seed: undefined, dialect: 'tapdisk3', trace: false }, process)) === 0;
}

async function daemonTests(): Promise<boolean> {
  let passed = true;
  for await (const { file, exit, output } of runDaemonTests('tapdisk3', DAEMON_TESTS)) {
    console.log(`tapdisk3: ${file}: ${exit === 0 ? 'passed' : `exit status ${exit}\n${output}`}`);
    passed &&= exit === 0;
  }
  return passed;
}
