// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// `tsx scripts/small-scope.ts DIALECT LENGTH...` plays every sequence of up to so many operations on a dialect's scheduler and
// its reference, one length for each choice of events, and prints a line of JSON for each: how many sequences that were, and
// the first difference.

import { exhaust, WORLDS } from '../test/conformance/small-scope.js';
import { exhaustTapdisk3, TAPDISK3_WORLDS } from '../test/conformance/tapdisk3-small-scope.js';
import type { Exhausted } from '../test/conformance/tapes.js';

/** By dialect, what plays the sequences of each choice of events. */
const DIALECT_PLAYS: Readonly<Record<string, ((length: number) => Promise<Exhausted>)[]>> = {
  tapdisk2: WORLDS.map((world) => (length) => exhaust(world, length)),
  tapdisk3: TAPDISK3_WORLDS.map((world) => (length) => exhaustTapdisk3(world, length)),
};

const [dialect = '', ...lengths] = process.argv.slice(2);
const plays = DIALECT_PLAYS[dialect];
if (plays === undefined)
  throw new RangeError(`DIALECT is ${dialect}: expected ${Object.keys(DIALECT_PLAYS).join(' or ')}`);
for (const [index, text] of lengths.entries()) {
  const play = plays[index];
  const length = Number(text);
  if (play === undefined) throw new RangeError(`there are only ${plays.length} choices of events`);
  if (!Number.isInteger(length) || length < 1)
    throw new RangeError(`LENGTH is ${text}, but must be a whole number from 1`);
  const result = await play(length);
  console.log(JSON.stringify(result));
  if (result.difference !== undefined) process.exitCode = 1;
}
