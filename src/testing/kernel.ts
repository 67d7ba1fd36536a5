// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { CallFault, CallName } from './call-faults.js';
import type { EventQueue } from './event-queue.js';
import { FaultList } from './fault-list.js';
import { HostFiles } from './files/host-files.js';
import type { Machine } from './machine.js';
import type { NameService } from './name-service.js';
import type { Random } from './random.js';
import type { WorldState } from './world-state.js';

/** What the processes of one host share, one after the other: machine, clock, names, and the faults of their calls. */
export class Kernel {
  /** The files of the machine. */
  readonly files: HostFiles;
  readonly #world: WorldState;
  readonly #faults = new FaultList<CallName>();
  #clockOffsetSeconds = 0;

  readonly clock: Clock = {
    now: () => this.#world.startSeconds + this.#world.queue.nowMicroseconds / 1e6 + this.#clockOffsetSeconds,
  };

  readonly machine: Machine;
  /** The first number that no descriptor gets. */
  maxDescriptors: number;

  constructor(world: WorldState, machine: Machine, maxDescriptors: number) {
    this.machine = machine;
    this.maxDescriptors = maxDescriptors;
    this.#world = world;
    this.files = new HostFiles(this);
  }

  get random(): Random {
    return this.#world.random;
  }

  get queue(): EventQueue {
    return this.#world.queue;
  }

  get names(): NameService {
    return this.#world.names;
  }

  get maxWakeLatencySeconds(): number {
    return this.#world.maxWakeLatencySeconds;
  }

  /** Adds a line to the trace, which is made only if there is one. */
  note(what: string | (() => string)): void {
    this.#world.trace.add(this.#world.queue.nowMicroseconds, this.machine.name, what);
  }

  /** A promise that may be awaited was resolved: its waiter continues before time does. */
  mayProgress(): void {
    this.#world.mayProgress = true;
  }

  /** Sets the host's clock forward or back. */
  adjustClock(seconds: number): void {
    this.#clockOffsetSeconds += seconds;
    this.note(`clock is set by ${seconds} s`);
  }

  /** Makes calls fail, as {@link FaultList.add}. */
  addFault(fault: CallFault): void {
    this.#faults.add(fault);
  }

  /** The negative answer of a call that is to fail. */
  failure(call: CallName): number | undefined {
    return this.#faults.failure(call);
  }

  /** The bytes, or a random part of them, as often as the world's transfers are short. */
  shortened(bytes: Uint8Array): Uint8Array {
    const { random, shortTransfers } = this.#world;
    if (bytes.length < 2 || !random.chance(shortTransfers)) return bytes;
    return bytes.subarray(0, random.integer(1, bytes.length - 1));
  }
}
