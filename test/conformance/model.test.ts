// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { ReferenceTapdisk3Scheduler } from '../../src/conformance/reference-tapdisk3-scheduler.js';
import { command } from '../cli/command.js';
import { randomSeed } from '../random.js';
import { checkModel, checkTapdisk3Model } from './model-check.js';

const seed = randomSeed(t);
const RUNS = 1500;

t.setTimeout(120_000);

t.test(
  `on random programs the scheduler and the naive reference give equal traces (TEST_SEED=${seed})`,
  async (t) => {
    const failure = await checkModel({ seed, runs: RUNS });
    t.equal(failure && `${failure.message}\nwritten to ${failure.file}`, undefined);
  },
);

t.test(
  `on random programs tapdisk3's scheduler and its naive reference give equal traces (TEST_SEED=${seed})`,
  async (t) => {
    const failure = await checkTapdisk3Model({ seed, runs: RUNS });
    t.equal(failure && `${failure.message}\nwritten to ${failure.file}`, undefined);
  },
);

t.test('a program on which they differ is shrunk and written as a vector file', async (t) => {
  /** It does not start a pass over (P6). */
  class Forgetful extends ReferenceScheduler {
    #inPass = false;
    override unregisterEvent(id: number): void {
      if (!this.#inPass) super.unregisterEvent(id);
    }
    override async waitForEvents(): Promise<number> {
      this.#inPass = true;
      try {
        return await super.waitForEvents();
      } finally {
        this.#inPass = false;
      }
    }
  }
  const failure = await checkModel(
    { seed: 1, runs: RUNS, directory: t.testdir() },
    (poller, clock) => new Forgetful(poller, clock),
  );
  if (failure === undefined) throw new Error('the difference was not found');
  t.match(failure.message, /^seed 1, program \d+: \{"index":/);
  const fires = (failure.vector.trace ?? []).filter(([kind]) => kind === 'fire').length;
  t.ok(fires <= 2, `shrunk to ${fires} firings`);

  const { status, stdout, stderr } = await command('conformance', failure.file);
  t.same([status, stdout, stderr], [0, '1 passed, 0 failed\n', '']);
});

t.test('a tapdisk3 program with differences is reported too', async (t) => {
  /** It is asked for though it is masked (T-M2). */
  class Unmasking extends ReferenceTapdisk3Scheduler {
    override maskEvent(): void {}
  }
  const failure = await checkTapdisk3Model(
    { seed: 1, runs: RUNS, directory: t.testdir() },
    (poller, clock) => new Unmasking(poller, clock),
  );
  if (failure === undefined) throw new Error('the difference was not found');
  t.match(failure.message, /^seed 1, program \d+: \{"index":/);
  t.ok(failure.vector.steps.length <= 8, `shrunk to ${failure.vector.steps.length} steps`);

  const { status, stdout, stderr } = await command('conformance', failure.file);
  t.same([status, stdout, stderr], [0, '1 passed, 0 failed\n', '']);
});
