// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { killRounds } from '../../cli/replication/kill-rounds.js';
import { create } from './engine.js';
import { checkMutated } from './c/mutated-life.js';
import { walkStores } from './backup/store-walk.js';
import { checkPrefixes } from './prefixes.js';
import { flip, rotSubject, writtenBytes } from './rot.js';
import { simulateSeeds } from './simulation/seeds.js';

const SIMULATIONS = 10_000;
const STORE_WALKS = 2000;
const KILL_ROUNDS = 200;
const HOSTILE_STREAMS = 10_000;

/** What the test run does a part of with a replicated disk, at length; false when something was wrong, which is printed. */
export async function runReplicationNightly(seed: number): Promise<boolean> {
  const lives = await simulateSeeds(seed, SIMULATIONS);
  for (const line of lives.failures) console.log(line);
  console.log(`lives of replicated disks: ${lives.passed} passed, ${lives.failures.length} failed`);

  const stores = await walkStores(seed, STORE_WALKS);
  for (const line of stores.failures) console.log(line);
  console.log(`walks over a backup's store: ${stores.walks}, ${stores.failures.length} failed`);

  const prefixes = await checkPrefixes(seed, { create, samples: 2, every: 1, connectEvery: 3 });
  for (const line of prefixes.failures) console.log(line);
  console.log(`states of a recorded session: ${prefixes.states} recovered, ${prefixes.connected} resynced`);

  const hostile = await checkMutated(seed, HOSTILE_STREAMS);
  for (const line of hostile) console.log(line);
  console.log(`streams of a hostile C peer: ${HOSTILE_STREAMS} sent, ${hostile.length} failed`);

  const kills = await killRounds(seed, { count: KILL_ROUNDS, told: (line) => console.log(line) });
  console.log(`rounds of kill -9: ${kills.rounds.length}, ${kills.failures.length} failed`);

  const wrong = await flipAll(seed);
  return (
    lives.failures.length +
      stores.failures.length +
      kills.failures.length +
      prefixes.failures.length +
      hostile.length +
      wrong ===
    0
  );
}

/** Flips a bit of every byte of a short journal and its metadata; how many of them were not noticed. */
async function flipAll(seed: number): Promise<number> {
  const subject = await rotSubject(seed, create);
  let flips = 0;
  let wrong = 0;
  for (const place of writtenBytes(subject)) {
    const outcome = await flip(subject, create, place, 1 << (flips % 8));
    flips += 1;
    if (outcome === 'refused' || outcome === 'as it was') continue;
    console.log(outcome);
    wrong += 1;
  }
  console.log(`bytes of a journal and its metadata: ${flips} flipped, ${wrong} not noticed`);
  return wrong;
}
