// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  inProcess,
  ownScheduler,
  ownVectorFiles,
  runVectors,
  selectVectors,
  tallyOf,
} from '../../src/conformance/index.js';
import { Scheduler } from '../../src/scheduler/index.js';

t.test('your own scheduler is checked in a few lines', async (t) => {
  const vectors = selectVectors(ownVectorFiles(), { suite: 'scheduler' });
  const right = await runVectors(vectors, inProcess(ownScheduler));
  t.match(tallyOf(right), { failed: 0, skipped: 0 });

  /** Does not hear the cap of the next wait (rule W3). */
  class Deaf extends Scheduler {
    override setMaxTimeout(): number {
      return 0;
    }
  }
  const wrong = await runVectors(
    vectors,
    inProcess((poller, clock) => new Deaf({ poller, clock, maxCallbacksPerPass: Number.MAX_SAFE_INTEGER })),
  );
  const { failed } = tallyOf(wrong);
  t.ok(failed > 0, `${failed} vectors notice a scheduler that does not hear setMaxTimeout`);
});
