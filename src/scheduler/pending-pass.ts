// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReadyDescriptor } from '../posix/poller.js';
import { DESCRIPTOR_MODES, TIMEOUT } from './event.js';
import { Heap } from './heap.js';
import type { MaskableDeadlines } from './maskable-deadlines.js';
import type { Tapdisk3Event } from './tapdisk3-event.js';
import type { UnmaskedInterest } from './unmasked-interest.js';

/** What a pass works on; it belongs to the scheduler. */
export interface PendingPassContext {
  readonly interest: UnmaskedInterest;
  readonly deadlines: MaskableDeadlines;
  /**
   * Moves the event's deadline (rule T-P5) and, unless it is masked, calls its callback for these modes.
   *
   * @returns undefined when the callback is over, else a promise of its end
   */
  fire(event: Tapdisk3Event, modes: number): Promise<void> | undefined;
}

/**
 * What is pending, and the pass over it (rules T-P1 to T-P7).
 *
 * In C the pass visits every event. Here it visits, in the same order, those that are pending: they are in a heap by their
 * place in the order. All waits on the stack share it, as nothing is pending any more when a wait within a callback
 * returns (rule T-N4). An event that is unregistered stays in it until its turn, and is passed over then.
 */
export class PendingPass {
  readonly #context: PendingPassContext;
  readonly #pending = new Heap<Tapdisk3Event>((a, b) => a.sequence < b.sequence);

  constructor(context: PendingPassContext) {
    this.#context = context;
  }

  /**
   * Makes pending what select found (rule T-P1), then what is due (rule T-P3). A masked event gets no bit: where C does
   * give it one, it dies (B1).
   *
   * @param readNow the clock, in microseconds; read once, before any callback
   */
  handOut(ready: readonly ReadyDescriptor[], readNow: () => number): void {
    const { interest, deadlines } = this.#context;
    for (const { fd, conditions } of ready) {
      for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
        const mode = DESCRIPTOR_MODES[index] as number;
        // There is none when the event that asked was unregistered or masked while select slept.
        const event = (conditions & mode) === 0 ? undefined : interest.first(fd, index);
        if (event !== undefined) this.#add(event, mode);
      }
    }
    const now = readNow();
    for (let event = deadlines.popDue(now); event; event = deadlines.popDue(now)) {
      if (event.pending === 0) this.#add(event, TIMEOUT);
    }
  }

  /**
   * Gives every live pending event its turn, in order (rule T-P4).
   *
   * @returns whether there was one; a promise of it when a callback was not over as it returned
   * @throws (or rejects with) what a callback throws. The pass ends there; what it left is found again by the next wait.
   */
  run(): boolean | Promise<boolean> {
    const advanced = this.#advance();
    return typeof advanced === 'boolean' ? advanced : this.#goOn(advanced);
  }

  async #goOn(first: Promise<void>): Promise<boolean> {
    let advanced: Promise<void> | boolean = first;
    while (typeof advanced !== 'boolean') {
      try {
        await advanced;
      } catch (error) {
        this.#drop();
        throw error;
      }
      advanced = this.#advance();
    }
    return true;
  }

  /** Goes on until a callback is not over as it returns: a promise of its end, or else whether there was an event. */
  #advance(): Promise<void> | boolean {
    let hasHandled = false;
    for (let event = this.#pending.pop(); event; event = this.#pending.pop()) {
      const modes = event.pending;
      event.pending = 0;
      if (!event.live) continue;
      hasHandled = true;
      try {
        const callback = this.#context.fire(event, modes);
        if (callback !== undefined) return callback;
      } catch (error) {
        this.#drop();
        throw error;
      }
    }
    return hasHandled;
  }

  #add(event: Tapdisk3Event, mode: number): void {
    if (event.pending === 0) this.#pending.push(event);
    event.pending |= mode;
  }

  /** Nothing is pending any more. Deadlines that were reached stay so. */
  #drop(): void {
    for (let event = this.#pending.pop(); event; event = this.#pending.pop()) {
      event.pending = 0;
      if (event.live) this.#context.deadlines.put(event);
    }
  }
}
