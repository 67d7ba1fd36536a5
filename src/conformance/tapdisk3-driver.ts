// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { tracedResult } from './error-names.js';
import { LabelledEvents } from './labelled-events.js';
import { LimitReached, type Tapdisk3Factory, type Tapdisk3UnderTest } from './scheduler-under-test.js';
import { ScriptedClock } from './scripted-clock.js';
import { inMicroseconds, ScriptedPoller } from './scripted-poller.js';
import {
  DEFAULT_UUID,
  type Tapdisk3Step,
  type Tapdisk3Vector,
  type Trace,
  type TraceEntry,
} from './vector.js';

type WaitStep = Extract<Tapdisk3Step, readonly ['wait', ...unknown[]]>;
type Action = Exclude<Tapdisk3Step, WaitStep>;

/** Runs a script of tapdisk3's dialect and returns what was observed. */
export async function runTapdisk3Script(vector: Tapdisk3Vector, create: Tapdisk3Factory): Promise<Trace> {
  return new Tapdisk3Driver(vector, create).run();
}

class Tapdisk3Driver {
  readonly #vector: Tapdisk3Vector;
  readonly #trace: TraceEntry[] = [];
  readonly #clock: ScriptedClock;
  readonly #poller: ScriptedPoller;
  readonly #scheduler: Tapdisk3UnderTest;
  readonly #events: LabelledEvents<Tapdisk3Step>;

  constructor(vector: Tapdisk3Vector, create: Tapdisk3Factory) {
    this.#vector = vector;
    const clock = new ScriptedClock(vector.clock);
    this.#clock = clock;
    this.#poller = new ScriptedPoller(clock, (entry) => this.#trace.push(entry), inMicroseconds, -1);
    this.#scheduler = create(this.#poller, { nowMicroseconds: () => clock.now() });
    this.#scheduler.nextEventId = vector.uuid ?? DEFAULT_UUID;
    this.#events = new LabelledEvents(vector, this.#trace, (steps) => this.#play(steps));
  }

  async run(): Promise<Trace> {
    try {
      await this.#play(this.#vector.steps);
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error;
      this.#trace.push(['limit']);
    }
    return this.#trace;
  }

  /** At once, up to a wait. */
  #play(steps: readonly Tapdisk3Step[]): void | Promise<void> {
    for (const [index, step] of steps.entries()) {
      if (isWait(step)) return this.#waitAndGoOn(step, steps.slice(index + 1));
      this.#act(step);
    }
    return undefined;
  }

  async #waitAndGoOn([, ...scripts]: WaitStep, rest: readonly Tapdisk3Step[]): Promise<void> {
    this.#poller.answerWait(scripts);
    const answer = await this.#scheduler.waitForEvents();
    this.#trace.push(['wait', tracedResult(answer)]);
    await this.#play(rest);
  }

  #act(action: Action): void {
    const scheduler = this.#scheduler;
    const events = this.#events;
    switch (action[0]) {
      case 'register':
        events.register(action[1], (...event) => scheduler.registerEvent(...event));
        break;
      case 'unregister':
        scheduler.unregisterEvent(events.idOf(action[1]));
        this.#trace.push(['unregister', action[1]]);
        break;
      case 'mask':
        scheduler.maskEvent(events.idOf(action[1]), Boolean(action[2]));
        this.#trace.push(action);
        break;
      case 'setTimeout': {
        const answer = scheduler.setEventTimeout(events.idOf(action[1]), action[2]);
        this.#trace.push(['setTimeout', action[1], tracedResult(answer)]);
        break;
      }
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

function isWait(step: Tapdisk3Step): step is WaitStep {
  return step[0] === 'wait';
}
