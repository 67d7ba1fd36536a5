// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { randomSeed } from '../../random.js';
import { Life } from './life.js';

const SEEDS = 6;
const STEPS = 100;
const CRASHES = ['end of file', 'silence', 'reset'] as const;

/** Something drawn from the world's seed happens. */
async function step(life: Life): Promise<void> {
  const { world, a, b } = life;
  const { random } = world;
  const what = random.integer(0, 99);
  if (what < 55) life.write();
  else if (what < 75) life.checkpoint();
  else if (what < 80) await life.check();
  else if (what < 83) life.crash(a, random.pick(CRASHES));
  else if (what < 86) life.crash(b, random.pick(CRASHES));
  else if (what < 93) life.restartSome();
  else if (what < 95) world.partition(a.host);
  else if (what < 98) world.heal();
  else b.host.files.stall(random.fraction() * 3);
  await world.run(random.chance(0.1) ? random.fraction() * 8 : random.fraction() * 0.01);
}

t.test(
  'Q1, Q2, Q8: whatever crashes, the backup is one checkpoint, none older than was answered',
  async (t) => {
    const first = randomSeed(t);
    for (let seed = first; seed < first + SEEDS; seed++) {
      const life = new Life(seed);
      try {
        for (let steps = 0; steps < STEPS; steps++) await step(life);
        await life.end();
        t.ok(life.checks > 0, `seed ${seed}: ${life.checks} checks, ${life.acked} checkpoints answered`);
      } catch (error) {
        t.fail(`TEST_SEED=${seed}: ${String(error)}`);
      }
    }
  },
);
