// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { DiskReplication } from '../../../../src/replication/disk/disk-replication.js';
import { create } from '../engine.js';
import { simulateSeeds } from './seeds.js';
import { simulateReplication } from './simulate.js';

/** `npm run nightly` runs 10,000 seeds, others each time. */
const MILLISECONDS = 5000;
/** However slow the machine is. */
const MIN_SEEDS = 4;

t.setTimeout(180_000);

t.test('random faults on both sides break no promise', async (t) => {
  const { passed, failures } = await simulateSeeds(1, MIN_SEEDS, MILLISECONDS);
  t.same(failures, []);
  t.ok(passed >= MIN_SEEDS);
  t.comment(`${passed} seeds`);
});

t.test('one seed has one trace', async (t) => {
  const run = async (seed: number): Promise<string> =>
    (await simulateReplication(seed, { create, traceLines: 1000 })).digest;
  t.equal(await run(7), await run(7));
});

t.test('faults are detected: a checkpoint reported before any side has it', async (t) => {
  const violations: string[] = [];
  for (let seed = 1; seed <= 20 && violations.length === 0; seed++) {
    const result = await simulateReplication(seed, {
      create: (parts, options) => {
        const engine = create(parts, options);
        const early: DiskReplication['checkpoint'] = (done) => done(engine.status().epochCommitted + 1);
        return Object.defineProperty(engine, 'checkpoint', { value: early });
      },
    });
    violations.push(...result.violations);
  }
  t.match(violations[0], /shows no checkpoint of its primary|was told that a checkpoint is at its backup/);
});
