// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Heap } from './heap.js';

/** A moment from which the time to any deadline from 0 on is a signed 32-bit number. */
const LAST_EXACT_MOMENT = 2 ** 31;

/** Not in the heap. */
export const NOT_IN_HEAP = -1;

/** What has a deadline, in whatever unit. */
export interface Timed {
  deadline: number;
  /** Its index in the heap; NOT_IN_HEAP from the start. */
  heapIndex: number;
}

/**
 * The TIMEOUT events by deadline. During a pass the events that are due are outside of it.
 *
 * Deadlines compare as numbers: tapdisk2's as the signed 32-bit numbers that they are (rule E6).
 */
export class Deadlines<Event extends Timed> {
  readonly #heap = new Heap<Event>(
    (a, b) => a.deadline < b.deadline,
    (event, index) => {
      event.heapIndex = index;
    },
  );

  /** Takes the event in, or restores its place after its deadline has changed. */
  put(event: Event): void {
    if (event.heapIndex === NOT_IN_HEAP) this.#heap.push(event);
    else this.#heap.updateAt(event.heapIndex);
  }

  remove(event: Event): void {
    if (event.heapIndex !== NOT_IN_HEAP) this.#heap.removeAt(event.heapIndex);
  }

  /** Takes out an event whose deadline is at or before `now`, in its unit; undefined when there is none. */
  popDue(now: number): Event | undefined {
    const first = this.#heap.smallest;
    return first !== undefined && first.deadline <= now ? this.#heap.pop() : undefined;
  }

  /**
   * The smallest of `limit` and, over all events, the seconds from now to the deadline, 0 when past (rule W2). The clock is
   * read only when there is a deadline.
   */
  secondsToFirst(readSeconds: () => number, limit: number): number {
    const first = this.#heap.smallest;
    if (first === undefined) return limit;
    const nowSeconds = readSeconds();
    // The difference is narrowed to 32 bits. It is exact, and the smallest deadline gives the smallest difference, while
    // neither side is negative or beyond 32 bits. Otherwise only a scan of all events decides.
    if (first.deadline >= 0 && nowSeconds >= 0 && nowSeconds <= LAST_EXACT_MOMENT) {
      return Math.min(limit, Math.max(0, first.deadline - nowSeconds));
    }
    let seconds = limit;
    for (const event of this.#heap.entries) {
      seconds = Math.min(seconds, Math.max(0, (event.deadline - nowSeconds) | 0));
    }
    return seconds;
  }
}
