// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { CallFault, CallName } from './call-faults.js';
import type { Machine } from './machine.js';
import type { NameService } from './name-service.js';
import type { WorldState } from './world-state.js';

/** What the processes of one host share, one after the other: machine, clock, names, and the faults of their calls. */
export class Kernel {
  readonly #world: WorldState;
  #faults: CallFault[] = [];
  #clockOffsetSeconds = 0;

  readonly clock: Clock = {
    now: () => this.#world.startSeconds + this.#world.queue.nowMicroseconds / 1e6 + this.#clockOffsetSeconds,
  };

  constructor(
    world: WorldState,
    readonly machine: Machine,
    /** The first number that no descriptor gets. */
    public maxDescriptors: number,
  ) {
    this.#world = world;
  }

  get names(): NameService {
    return this.#world.names;
  }

  get maxWakeLatencySeconds(): number {
    return this.#world.maxWakeLatencySeconds;
  }

  get isTracing(): boolean {
    return this.#world.trace.enabled;
  }

  note(what: string): void {
    this.#world.trace.add(this.#world.queue.nowMicroseconds, this.machine.name, what);
  }

  /** A promise that somebody may be waiting for was resolved: the world lets him go on before time does. */
  stirred(): void {
    this.#world.stirred = true;
  }

  /** Sets the host's clock forward or back. */
  adjustClock(seconds: number): void {
    this.#clockOffsetSeconds += seconds;
    this.note(`clock is set by ${seconds} s`);
  }

  /** Has calls fail; one fault may be several hosts', and then counts the calls of all. */
  addFault(fault: CallFault): void {
    this.#faults.push(fault);
  }

  /** The negative answer of a call that is to fail. Every fault counts the call, the oldest that wants it has it. */
  failure(call: CallName): number | undefined {
    let failure: number | undefined;
    for (const fault of this.#faults) {
      const answer = fault.next(call, failure !== undefined);
      failure ??= answer;
    }
    if (failure !== undefined) this.#faults = this.#faults.filter(({ isOver }) => !isOver);
    return failure;
  }

  /** The bytes, or a random part of them, as often as the world's transfers are short. */
  shortened(bytes: Uint8Array): Uint8Array {
    const { random, shortTransfers } = this.#world;
    if (bytes.length < 2 || !random.chance(shortTransfers)) return bytes;
    return bytes.subarray(0, random.integer(1, bytes.length - 1));
  }
}
