// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { Random } from '../../../src/testing/index.js';
import { create } from './engine.js';
import { HistoryWalk } from './history-walk.js';
import { checkPairs } from './metadata-pairs.js';
import { walkStores } from './backup/store-walk.js';
import { checkPrefixes } from './prefixes.js';
import { flip, rotSubject, sampledBytes } from './rot.js';
import { simulateReplication } from './simulation/simulate.js';

const WALKS = 3000;
const STEPS = 30;
/** In each sector. */
const FLIPS = 3;
const LIVES = 40;
const STORES = 25;

/** Tests of single steps, each in a process of its own. */
const STEP_TESTS = [
  'durable-first',
  'failed-sync',
  'backup/segments',
  'resync-begin',
  'backup/resync-file',
  'backup/sync-target',
  'backup/backup-role',
  'failover',
  'primary/grains',
  'primary/dirty-map',
  'primary/copier',
  'primary/congestion',
  'c/durable-done',
  'c/backup-sessions',
  'c/primary-sessions',
  'resync-resume',
];

/** The first assertion that fails in a file of tests. */
function failureIn(name: string): string | undefined {
  const file = `test/replication/disk/${name}.test.ts`;
  const env = { ...process.env, TEST_SEED: '1', TAP_TIMEOUT: '0' };
  const { status, stdout } = spawnSync(process.execPath, ['--import=tsx', file], { encoding: 'utf8', env });
  return status === 0 ? undefined : `${file}: ${/not ok.*/.exec(stdout)?.[0] ?? `ends with ${status}`}`;
}

/** What finds faults of the engine: each returns what it noticed first, undefined for nothing. */
export const REPLICATION_DETECTORS: Readonly<Record<string, () => Promise<string | undefined>>> = {
  async decisions() {
    for (let seed = 1; seed <= WALKS; seed++) {
      const walk = new HistoryWalk(new Random(seed));
      for (let step = 0; step < STEPS && walk.wrong.length === 0; step++) walk.step();
      if (walk.wrong.length > 0) return `walk ${seed}: ${walk.wrong[0]}`;
    }
    return checkPairs().wrong[0];
  },
  async steps() {
    for (const name of STEP_TESTS) {
      const failure = failureIn(name);
      if (failure !== undefined) return failure;
    }
    return undefined;
  },
  async stores() {
    for (let seed = 1; seed <= STORES; seed++) {
      const { failures } = await walkStores(seed, 1);
      if (failures.length > 0) return failures[0];
    }
    return undefined;
  },
  async rot() {
    const subject = await rotSubject(1, create);
    const random = new Random(1);
    for (const place of sampledBytes(subject, FLIPS, random)) {
      const outcome = await flip(subject, create, place, 1 << random.integer(0, 7));
      if (outcome !== 'refused' && outcome !== 'as it was') return outcome;
    }
    return undefined;
  },
  async prefixes() {
    for (const seed of [1, 2]) {
      const { failures } = await checkPrefixes(seed, { create, samples: 3, every: 2, connectEvery: 40 });
      if (failures.length > 0) return `session ${seed}, ${failures[0]}`;
    }
    return undefined;
  },
  async lives() {
    for (let seed = 1; seed <= LIVES; seed++) {
      const { violations } = await simulateReplication(seed, { create });
      if (violations.length > 0) return `seed ${seed}: ${violations[0]}`;
    }
    return undefined;
  },
};
