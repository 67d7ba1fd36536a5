// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Heap } from '../scheduler/heap.js';

/** Something that will happen in the simulated world. */
export interface FutureEvent {
  readonly atMicroseconds: number;
  /** What happens in the same microsecond happens in the order in which it was asked for. */
  readonly sequence: number;
  readonly action: () => void;
  /** Where the event stands in the heap; -1 once it happened or was cancelled. */
  position: number;
}

/** Virtual time ends here, after 285 years. */
const LAST_MICROSECOND = Number.MAX_SAFE_INTEGER;

/** The virtual time, and what will happen at which of its microseconds. Time moves in {@link EventQueue.advance} alone. */
export class EventQueue {
  #now = 0;
  #sequence = 0;
  readonly #heap = new Heap<FutureEvent>(isBefore, (event, position) => {
    event.position = position;
  });

  /** Microseconds since the world began: a whole number that never falls. */
  get nowMicroseconds(): number {
    return this.#now;
  }

  /** How many events are still to happen. */
  get size(): number {
    return this.#heap.entries.length;
  }

  /**
   * Runs `action` `delayMicroseconds` (>= 0, a fraction is rounded up) from now.
   *
   * @throws RangeError for a delay below 0 or none
   */
  after(delayMicroseconds: number, action: () => void): FutureEvent {
    if (!(delayMicroseconds >= 0)) {
      throw new RangeError(`an event cannot be ${String(delayMicroseconds)} microseconds away`);
    }
    const atMicroseconds = Math.min(this.#now + Math.ceil(delayMicroseconds), LAST_MICROSECOND);
    const event: FutureEvent = { atMicroseconds, sequence: this.#sequence++, action, position: -1 };
    this.#heap.push(event);
    return event;
  }

  /** The event does not happen. One that has happened or was cancelled before is left alone. */
  cancel(event: FutureEvent | undefined): void {
    if (event !== undefined && event.position >= 0) this.#heap.removeAt(event.position);
  }

  /**
   * Moves time to the next event and has it happen; when none comes up to the limit (a fraction is rounded up), moves
   * time to the limit: false.
   */
  advance(limitMicroseconds: number): boolean {
    // Between two whole microseconds, what is due at one moment would happen at several, in an order of their own.
    const limit = Math.min(Math.ceil(limitMicroseconds), LAST_MICROSECOND);
    const next = this.#heap.smallest;
    if (next === undefined || next.atMicroseconds > limit) {
      this.#now = Math.max(this.#now, limit);
      return false;
    }
    this.#heap.removeAt(0);
    this.#now = next.atMicroseconds;
    next.action();
    return true;
  }
}

function isBefore(a: FutureEvent, b: FutureEvent): boolean {
  if (a.atMicroseconds !== b.atMicroseconds) return a.atMicroseconds < b.atMicroseconds;
  return a.sequence < b.sequence;
}
