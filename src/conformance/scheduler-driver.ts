// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest } from '../posix/poller.js';
import { modeName } from '../scheduler/event.js';
import type { EventCallback } from '../scheduler/event.js';
import { tracedResult } from './error-names.js';
import { modeMask } from './mode-names.js';
import { playSteps } from './play-steps.js';
import { LimitReached } from './scheduler-under-test.js';
import type { SchedulerFactory, SchedulerUnderTest } from './scheduler-under-test.js';
import { ScriptedClock } from './scripted-clock.js';
import { ScriptedPoller } from './scripted-poller.js';
import { DEFAULT_LIMIT, DEFAULT_UUID } from './vector.js';
import type { SchedulerAction, SchedulerVector, SelectScript, Trace, TraceEntry } from './vector.js';

/** What select's answer becomes, given what the script says and what is asked for. */
export type AnswerRule = (script: SelectScript, interest: Interest) => SelectScript;

/** Runs a script of the scheduler suite and answers what was observed. Select answers as the script says, or by a rule. */
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
  /** What the latest registration of a label answered. */
  readonly #ids = new Map<string, number>();
  /** How often a label's callback has run. */
  readonly #firings = new Map<string, number>();
  #fires = 0;

  constructor(vector: SchedulerVector, create: SchedulerFactory, answerRule: AnswerRule | undefined) {
    this.#vector = vector;
    this.#answerRule = answerRule;
    this.#clock = new ScriptedClock(vector.clock);
    this.#poller = new ScriptedPoller(this.#clock, (entry) => this.#trace.push(entry));
    this.#scheduler = create(this.#poller, this.#clock);
    this.#scheduler.nextEventId = vector.uuid ?? DEFAULT_UUID;
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
    switch (action[0]) {
      case 'register':
        this.#register(action[1]);
        break;
      case 'unregister':
        this.#scheduler.unregisterEvent(
          typeof action[1] === 'number' ? action[1] : (this.#ids.get(action[1]) ?? NEVER_REGISTERED),
        );
        this.#trace.push(['unregister', action[1]]);
        break;
      case 'setMaxTimeout':
        this.#scheduler.setMaxTimeout(action[1]);
        break;
      case 'elapse':
        this.#clock.elapse(action[1]);
        break;
      case 'uuid':
        this.#scheduler.nextEventId = action[1];
        break;
    }
  }

  #register(label: string): void {
    const event = this.#vector.events[label];
    if (event === undefined) throw new Error(`no event has the label ${label}`);
    const callback: EventCallback<undefined> = (id, mode) => this.#fired(label, id, mode);
    // Registering without a callback is a caller's mistake that the types would not let pass.
    const given = event.cb === false ? (undefined as unknown as typeof callback) : callback;
    const id = this.#scheduler.registerEvent(modeMask(event.mode), event.fd, event.timeout, given);
    this.#ids.set(label, id);
    this.#trace.push(['register', label, tracedResult(id)]);
  }

  #fired(label: string, id: number, mode: number): void {
    this.#trace.push(['fire', label, id, modeName(mode)]);
    const firing = this.#firings.get(label) ?? 0;
    this.#firings.set(label, firing + 1);
    for (const action of this.#vector.events[label]?.on?.[firing] ?? []) this.#act(action);
    this.#fires++;
    if (this.#fires === (this.#vector.limit ?? DEFAULT_LIMIT)) throw new LimitReached();
  }
}

/** An id that no event ever has (rule I3). */
const NEVER_REGISTERED = 0;
