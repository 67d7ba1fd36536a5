// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `tsx scripts/small-scope.ts LENGTH...` plays every sequence of up to so many operations on both schedulers, one length for
// each choice of events, and prints a line of JSON for each: how many sequences that were, and the first difference.

import { exhaust, WORLDS } from '../test/conformance/small-scope.js';

for (const [index, text] of process.argv.slice(2).entries()) {
  const world = WORLDS[index];
  const length = Number(text);
  if (world === undefined) throw new RangeError(`there are only ${WORLDS.length} choices of events`);
  if (!Number.isInteger(length) || length < 1)
    throw new RangeError(`LENGTH is ${text}, but must be a whole number from 1`);
  const result = await exhaust(world, length);
  console.log(JSON.stringify(result));
  if (result.difference !== undefined) process.exitCode = 1;
}
