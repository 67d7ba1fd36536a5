// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { programArguments } from '../../scripts/program.js';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { exhaust, WORLDS, type World } from './small-scope.js';

t.setTimeout(240_000);

t.test(
  'every sequence of up to 6 operations gives equal traces on the scheduler and the reference',
  async (t) => {
    // In a process of its own, as counting coverage would make it four times as long. `npm run nightly` goes to 6 in all three.
    const { NODE_V8_COVERAGE: _coverage, ...env } = process.env;
    const lengths = ['6', '5', '5'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...programArguments('scripts/small-scope.ts'), ...lengths],
      { env },
    );
    t.same(
      stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
      [{ tapes: 99_392 }, { tapes: 13_843 }, { tapes: 11_232 }],
    );
  },
);

t.test('a scheduler that parts from the reference is found, and told of with its operations', async (t) => {
  /** Its ids do not grow. */
  class Stuck extends ReferenceScheduler {
    override unregisterEvent(id: number): void {
      super.unregisterEvent(id);
      this.nextEventId = 1;
    }
  }
  const { difference } = await exhaust(WORLDS[0] as World, 3, (poller, clock) => new Stuck(poller, clock));
  t.match(difference, /^(\{"kind":.*\n){3}reference:\n(.*\n)*scheduler:\n/);
});
