// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { programArguments } from '../../scripts/program.js';
import { ReferenceScheduler } from '../../src/conformance/reference-scheduler.js';
import { ReferenceTapdisk3Scheduler } from '../../src/conformance/reference-tapdisk3-scheduler.js';
import type { Dialect } from '../../src/scheduler/dialect.js';
import { exhaust, WORLDS, type World } from './small-scope.js';
import { exhaustTapdisk3, TAPDISK3_WORLDS } from './tapdisk3-small-scope.js';

t.setTimeout(240_000);

/** Plays all sequences in a process of its own, as counting coverage would make it four times as long. */
async function playAll(dialect: Dialect, ...lengths: number[]): Promise<unknown[]> {
  const { NODE_V8_COVERAGE: _coverage, ...env } = process.env;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...programArguments('scripts/small-scope.ts'), dialect, ...lengths.map(String)],
    { env },
  );
  const lines = stdout.trim().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}

// `npm run nightly` goes to the greatest length with all choices of events.

t.test(
  'every sequence of up to 6 operations gives equal traces on the scheduler and the reference',
  async (t) => {
    const played = await playAll('tapdisk2', 6, 5, 5);
    t.same(played, [{ tapes: 99_392 }, { tapes: 13_843 }, { tapes: 11_232 }]);
  },
);

t.test(
  "every sequence of up to 5 operations gives equal traces on tapdisk3's scheduler and the reference",
  async (t) => {
    const played = await playAll('tapdisk3', 5, 4, 4);
    t.same(played, [{ tapes: 54_681 }, { tapes: 5_207 }, { tapes: 5_469 }]);
  },
);

t.test(
  'a scheduler that differs from the reference is found, and reported with its operations',
  async (t) => {
    /** Its ids do not grow. */
    class Stuck extends ReferenceScheduler {
      override unregisterEvent(id: number): void {
        super.unregisterEvent(id);
        this.nextEventId = 1;
      }
    }
    const { difference } = await exhaust(WORLDS[0] as World, 3, (poller, clock) => new Stuck(poller, clock));
    t.match(difference, /^(\{"kind":.*\n){3}reference:\n(.*\n)*scheduler:\n/);
  },
);

t.test('a tapdisk3 program that differs from its reference is shrunk too', async (t) => {
  /** It does not unmask. */
  class Masking extends ReferenceTapdisk3Scheduler {
    override maskEvent(id: number, masked: boolean): void {
      if (masked) super.maskEvent(id, masked);
    }
  }
  const [, world] = TAPDISK3_WORLDS;
  const { difference } = await exhaustTapdisk3(
    world as (typeof TAPDISK3_WORLDS)[number],
    4,
    (poller, clock) => new Masking(poller, clock),
  );
  t.match(difference, /^(\{"kind":.*\n){4}reference:\n(.*\n)*scheduler:\n/);
});
