// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventRegistrar } from '../scheduler/registrar.js';
import { outcomeResult } from './outcome-list.js';
import { playSteps } from './play-steps.js';
import { LimitReached, type SchedulerFactory, type SchedulerUnderTest } from './scheduler-under-test.js';
import { ScriptedClock } from './scripted-clock.js';
import { ScriptedPoller } from './scripted-poller.js';
import { TracedRegistrar } from './traced-registrar.js';
import {
  DEFAULT_LIMIT,
  DEFAULT_UUID,
  type Outcome,
  type TimedVector,
  type Trace,
  type TraceEntry,
  type WaitStep,
} from './vector.js';

/** What all vectors have that are about a module on a scheduler. */
export interface ModuleVector<Action> extends TimedVector {
  readonly syscalls: { readonly register?: readonly Outcome[] };
  readonly steps: readonly (Action | WaitStep)[];
}

/** Actions that every module's script may have, about the scheduler that it runs on. */
type SchedulerAction = readonly ['elapse', number] | readonly ['uuid', number];

/**
 * One run of a module's script: the scheduler under test with its clock and select scripted, and the registrar that the
 * module is to register on, which leaves the trace of it.
 */
export class ModuleRun<Action extends readonly unknown[]> {
  readonly registrar: EventRegistrar;
  readonly #trace: TraceEntry[] = [];
  readonly #vector: ModuleVector<Action>;
  readonly #clock: ScriptedClock;
  readonly #poller: ScriptedPoller;
  readonly #scheduler: SchedulerUnderTest;
  #fires = 0;

  /** @param handled a handler of the module has returned that was registered with this private data */
  constructor(
    vector: ModuleVector<Action>,
    create: SchedulerFactory,
    handled: (privateData: unknown) => void,
  ) {
    this.#vector = vector;
    this.#clock = new ScriptedClock(vector.clock);
    this.#poller = new ScriptedPoller(this.#clock, this.record);
    this.#scheduler = create(this.#poller, this.#clock);
    this.#scheduler.nextEventId = vector.uuid ?? DEFAULT_UUID;
    const outcomes = vector.syscalls.register ?? [];
    let registrations = 0;
    this.registrar = new TracedRegistrar(this.#scheduler, {
      record: this.record,
      refuse: () => outcomeResult(outcomes[registrations++]),
      handled: (privateData) => {
        handled(privateData);
        this.#fires++;
        if (this.#fires === (vector.limit ?? DEFAULT_LIMIT)) throw new LimitReached();
      },
    });
  }

  readonly record = (entry: TraceEntry): void => {
    this.#trace.push(entry);
  };

  /** Plays the steps; `act` does whatever is not about the scheduler. */
  play(act: (action: Action) => void): Promise<Trace> {
    return playSteps(this.#vector.steps, this.#trace, {
      wait: (script) => {
        this.#poller.answerNext(script);
        return this.#scheduler.waitForEvents();
      },
      act,
    });
  }

  /** What a script does to the scheduler or its clock. */
  schedule(action: SchedulerAction): void {
    if (action[0] === 'elapse') this.#clock.elapse(action[1]);
    else this.#scheduler.nextEventId = action[1];
  }
}
