// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `npm run nightly [-- SEED]`: what the test run does a bounded part of, at length. A failing program is shrunk and written
// out as a vector file; the seed runs it again.

import { parseArgs } from 'node:util';
import { checkModel } from '../test/conformance/model-check.js';
import { exhaust, WORLDS } from '../test/conformance/small-scope.js';

const PROGRAMS = 100_000;
const LENGTH = 6;

const [given] = parseArgs({ allowPositionals: true }).positionals;
const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
if (!Number.isInteger(seed)) throw new RangeError(`SEED is ${given}, but must be a whole number`);

console.log(`${PROGRAMS} random programs, seed ${seed}`);
const failure = await checkModel({ seed, runs: PROGRAMS });
if (failure !== undefined) {
  console.log(`failed: ${failure.message}\nwritten to ${failure.file}`);
  process.exitCode = 1;
}

for (const [index, world] of WORLDS.entries()) {
  const { tapes, difference } = await exhaust(world, LENGTH);
  console.log(`every sequence of up to ${LENGTH} operations on events ${index + 1}: ${tapes}`);
  if (difference === undefined) continue;
  console.log(`failed: ${difference}`);
  process.exitCode = 1;
}
