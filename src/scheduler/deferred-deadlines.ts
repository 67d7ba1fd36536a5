// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NOT_IN_HEAP, type Timed } from './deadlines.js';
import { Heap } from './heap.js';

/** What has a deadline that is mostly put off. */
export interface Deferred extends Timed {
  /** What it is sorted by: its deadline, or an earlier one that it had. */
  sortedBy: number;
}

/**
 * Events by deadline, of which most are put off before they are reached.
 *
 * An event that is put off stays where it is. It finds its new place when it comes to the front, once, however often it was
 * put off: putting off costs nothing that grows with the number of events.
 */
export class DeferredDeadlines<Event extends Deferred> {
  readonly #heap = new Heap<Event>(
    (a, b) => a.sortedBy < b.sortedBy,
    (event, index) => {
      event.heapIndex = index;
    },
  );

  /** Takes the event in, or takes notice that its deadline has changed. */
  put(event: Event): void {
    const isIn = event.heapIndex !== NOT_IN_HEAP;
    if (isIn && event.deadline >= event.sortedBy) return;
    event.sortedBy = event.deadline;
    if (isIn) this.#heap.updateAt(event.heapIndex);
    else this.#heap.push(event);
  }

  remove(event: Event): void {
    if (event.heapIndex !== NOT_IN_HEAP) this.#heap.removeAt(event.heapIndex);
  }

  /** An event with the smallest deadline. */
  get first(): Event | undefined {
    let first = this.#heap.smallest;
    while (first !== undefined && first.sortedBy !== first.deadline) {
      first.sortedBy = first.deadline;
      this.#heap.updateAt(0);
      first = this.#heap.smallest;
    }
    return first;
  }

  /** Takes out an event whose deadline is at or before `now`; undefined when there is none. */
  popDue(now: number): Event | undefined {
    const { first } = this;
    return first !== undefined && first.deadline <= now ? this.#heap.pop() : undefined;
  }
}
