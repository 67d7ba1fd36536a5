// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest } from './interest.js';
import type { EventCallback } from '../scheduler/event.js';
import { LabelledEvents } from './labelled-events.js';
import { playSteps } from './play-steps.js';
import type { SchedulerFactory, SchedulerUnderTest } from './scheduler-under-test.js';
import { ScriptedClock } from './scripted-clock.js';
import { ScriptedPoller } from './scripted-poller.js';
import {
  DEFAULT_UUID,
  type SchedulerAction,
  type SchedulerVector,
  type SelectScript,
  type Trace,
  type TraceEntry,
} from './vector.js';

/** What select returns, given what the script says and what is asked for. */
export type AnswerRule = (script: SelectScript, interest: Interest) => SelectScript;

/** Runs a script of the scheduler suite and returns what was observed. Select returns what the script says, or what a rule does. */
export async function runSchedulerScript(
  vector: SchedulerVector,
  create: SchedulerFactory,
  answerRule?: AnswerRule,
): Promise<Trace> {
  return new SchedulerDriver(vector, create, answerRule).run();
}

class SchedulerDriver {
  readonly #vector: SchedulerVector;
  readonly #answerRule: AnswerRule | undefined;
  readonly #trace: TraceEntry[] = [];
  readonly #clock: ScriptedClock;
  readonly #poller: ScriptedPoller;
  readonly #scheduler: SchedulerUnderTest;
  readonly #events: LabelledEvents<SchedulerAction>;

  constructor(vector: SchedulerVector, create: SchedulerFactory, answerRule: AnswerRule | undefined) {
    this.#vector = vector;
    this.#answerRule = answerRule;
    this.#clock = new ScriptedClock(vector.clock);
    this.#poller = new ScriptedPoller(this.#clock, (entry) => this.#trace.push(entry));
    this.#scheduler = create(this.#poller, this.#clock);
    this.#scheduler.nextEventId = vector.uuid ?? DEFAULT_UUID;
    this.#events = new LabelledEvents(vector, this.#trace, (actions) => {
      for (const action of actions) this.#act(action);
    });
  }

  run(): Promise<Trace> {
    return playSteps(this.#vector.steps, this.#trace, {
      wait: (script) => this.#wait(script),
      act: (action) => this.#act(action),
    });
  }

  #wait(script: SelectScript): Promise<number> {
    const rule = this.#answerRule;
    this.#poller.answerNext(rule === undefined ? script : (interest) => rule(script, interest));
    return this.#scheduler.waitForEvents();
  }

  #act(action: SchedulerAction): void {
    const scheduler = this.#scheduler;
    switch (action[0]) {
      case 'register':
        this.#events.register(action[1], (mode, fd, timeout, callback) =>
          // None of these actions waits, so that no promise comes back.
          scheduler.registerEvent(mode, fd, timeout, callback as EventCallback<undefined>),
        );
        break;
      case 'unregister':
        scheduler.unregisterEvent(this.#events.idOf(action[1]));
        this.#trace.push(['unregister', action[1]]);
        break;
      case 'setMaxTimeout':
        scheduler.setMaxTimeout(action[1]);
        break;
      case 'elapse':
        this.#clock.elapse(action[1]);
        break;
      case 'uuid':
        scheduler.nextEventId = action[1];
    }
  }
}
