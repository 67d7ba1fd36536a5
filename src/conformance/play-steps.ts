// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { LimitReached } from './scheduler-under-test.js';
import type { SelectScript, Trace, TraceEntry, WaitStep } from './vector.js';

/** What a driver does for a step. */
export interface StepActions<Action> {
  /** Waits once with what select is to return, and gives what the wait returned. */
  wait(script: SelectScript): Promise<number>;
  /** Does whatever else a script can say. */
  act(action: Action): void;
}

/** Plays a script's steps in order, to its end or its limit, which the trace records too. */
export async function playSteps<Action extends readonly unknown[]>(
  steps: readonly (Action | WaitStep)[],
  trace: TraceEntry[],
  actions: StepActions<Action>,
): Promise<Trace> {
  try {
    for (const step of steps) {
      if (isWait(step)) {
        const answer = await actions.wait(step[1]);
        trace.push(['wait', answer < 0 ? -1 : answer]);
      } else actions.act(step);
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    trace.push(['limit']);
  }
  return trace;
}

function isWait(step: readonly unknown[]): step is WaitStep {
  return step[0] === 'wait';
}
