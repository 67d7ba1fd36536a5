// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { ReadyDescriptor } from '../posix/poller.js';
import type { PendingPass } from './pending-pass.js';
import type { RetriedSelect, SelectEnd } from './retried-select.js';
import type { Tapdisk3Event } from './tapdisk3-event.js';
import type { Tapdisk3Callback } from './tapdisk3-registrar.js';

/** How many waits may be under way within each other. In C the stack ends somewhere. */
export const MAX_NESTED_WAITS = 500;

/** What the waits work on; it belongs to the scheduler. */
export interface WaitContext {
  readonly select: RetriedSelect;
  readonly pass: PendingPass;
  /** Select is about to be asked: for how many microseconds it may sleep (rule T-W4). */
  beginSleep(): number;
  /** Select has succeeded: resets the cap (rule T-W7) and hands out what is ready or due. */
  selected(ready: readonly ReadyDescriptor[]): void;
  /** Select has failed, with a negative errno. */
  selectFailed(answer: number): void;
  /** Frees what is dead (rule T-G1). */
  freeDead(): void;
}

/** What a wait ends with: one of the two is called, once. */
interface WaitEnd {
  readonly answered: (answer: number) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The waits that are under way, each within a callback of the one before (rules T-W1, T-N1 to T-N5).
 *
 *     a wait:  within another one? --yes--> drain --something was pending--> over
 *                    |                        | nothing was
 *                    no ---------> select <---+
 *                                    | --failed--> over
 *                                    +--> hand out --> pass --> over
 *
 * Select is asynchronous here, and a callback that waits returns a promise; the pass goes on when it is settled. So that waits
 * end in the reverse order of their beginning, as on C's stack, a pass also waits for those that a callback began and
 * did not wait for.
 */
export class WaitStack {
  readonly #context: WaitContext;
  #depth = 0;
  /** Select has succeeded in the outermost wait. */
  #hasSelected = false;
  /** By depth: to call when the waits above it are over. */
  readonly #whenBack: ((() => void) | undefined)[] = [];

  constructor(context: WaitContext) {
    this.#context = context;
  }

  /** One wait. The two are called from an empty stack, but for a refusal, a drain, and a poller that throws at once. */
  waitThen(answered: (answer: number) => void, failed: (error: unknown) => void): void {
    const { pass, select } = this.#context;
    if (select.isSleeping || this.#depth === MAX_NESTED_WAITS) {
      answered(select.isSleeping ? -errno.EDEADLK : -errno.ELOOP);
      return;
    }
    this.#depth += 1;
    const end: WaitEnd = {
      answered: (answer) => {
        this.#leave();
        answered(answer);
      },
      failed: (error) => {
        this.#leave();
        failed(error);
      },
    };
    if (this.#depth === 1) {
      this.#selectAndRun(end);
      return;
    }
    const drained = (progress: boolean): void => {
      if (progress) end.answered(0);
      else this.#selectAndRun(end);
    };
    whenDone(() => pass.run(), drained, end.failed);
  }

  /**
   * Calls an event's callback.
   *
   * @returns undefined when it is over, and so is every wait that it began; else a promise of that
   * @throws (or rejects with) what the callback throws
   */
  call(event: Tapdisk3Event, modes: number): Promise<void> | undefined {
    const depth = this.#depth;
    let returned: unknown;
    try {
      returned = (event.callback as Tapdisk3Callback)(event.id, modes, event.privateData);
    } catch (error) {
      if (this.#depth === depth) throw error;
      returned = Promise.reject(error);
    }
    if (this.#depth === depth && !isThenable(returned)) return undefined;
    return this.#settled(returned, depth);
  }

  async #settled(returned: unknown, depth: number): Promise<void> {
    try {
      await returned;
    } finally {
      while (this.#depth > depth) {
        await new Promise<void>((resolve) => {
          this.#whenBack[depth] = resolve;
        });
      }
    }
  }

  #selectAndRun(end: WaitEnd): void {
    const { select } = this.#context;
    const answered = (answer: SelectEnd): void => whenDone(() => this.#run(answer), end.answered, end.failed);
    select.begin(this.#context.beginSleep(), answered, end.failed);
  }

  /** What follows select (rules T-W6, T-P1 to T-P7). */
  #run(answer: SelectEnd): number | Promise<number> {
    const { pass } = this.#context;
    if (typeof answer === 'number') {
      this.#context.selectFailed(answer);
      return answer;
    }
    this.#hasSelected = true;
    this.#context.selected(answer);
    const ran = pass.run();
    return typeof ran === 'boolean' ? 0 : ran.then(() => 0);
  }

  #leave(): void {
    this.#depth -= 1;
    if (this.#depth === 0 && this.#hasSelected) {
      this.#hasSelected = false;
      this.#context.freeDead();
    }
    const back = this.#whenBack[this.#depth];
    this.#whenBack[this.#depth] = undefined;
    back?.();
  }
}

/** Hands on what `work` returns, or what its promise comes to; or what it throws, or the promise is rejected with. */
function whenDone<Outcome>(
  work: () => Outcome | Promise<Outcome>,
  done: (outcome: Outcome) => void,
  failed: (error: unknown) => void,
): void {
  let outcome: Outcome | Promise<Outcome>;
  try {
    outcome = work();
  } catch (error) {
    failed(error);
    return;
  }
  if (outcome instanceof Promise) void whenSettled(outcome, done, failed);
  else done(outcome);
}

async function whenSettled<Outcome>(
  promise: Promise<Outcome>,
  done: (outcome: Outcome) => void,
  failed: (error: unknown) => void,
): Promise<void> {
  let outcome: Outcome;
  try {
    outcome = await promise;
  } catch (error) {
    failed(error);
    return;
  }
  done(outcome);
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}
