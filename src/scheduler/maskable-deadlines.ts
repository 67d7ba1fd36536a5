// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NOT_IN_HEAP } from './deadlines.js';
import { DeferredDeadlines } from './deferred-deadlines.js';
import type { Tapdisk3Event } from './tapdisk3-event.js';

/**
 * The deadlines of tapdisk3's scheduler, masked and unmasked apart: a masked one does not shorten a sleep (rule T-M2), and
 * is reached all the same (rule T-P3). Events without a deadline are not in it.
 */
export class MaskableDeadlines {
  readonly #unmasked = new DeferredDeadlines<Tapdisk3Event>();
  readonly #masked = new DeferredDeadlines<Tapdisk3Event>();

  /** Restores the event's place after its deadline or timeout has changed. */
  put(event: Tapdisk3Event): void {
    const deadlines = event.masked ? this.#masked : this.#unmasked;
    if (event.isTimed) deadlines.put(event);
    else deadlines.remove(event);
  }

  remove(event: Tapdisk3Event): void {
    (event.masked ? this.#masked : this.#unmasked).remove(event);
  }

  /** Masks the event or unmasks it, and keeps its deadline where it was: in, or out as in a pass. */
  setMasked(event: Tapdisk3Event, masked: boolean): void {
    const isIn = event.heapIndex !== NOT_IN_HEAP;
    this.remove(event);
    event.masked = masked;
    if (isIn) this.put(event);
  }

  /** Takes out an event, masked or not, whose deadline is reached; undefined when there is none. */
  popDue(now: number): Tapdisk3Event | undefined {
    return this.#unmasked.popDue(now) ?? this.#masked.popDue(now);
  }

  /** The smallest of `limit` and the time to each unmasked deadline, 0 when it is reached (rule T-W4). */
  timeToFirst(readNow: () => number, limit: number): number {
    const { first } = this.#unmasked;
    return first === undefined ? limit : Math.min(limit, Math.max(0, first.deadline - readNow()));
  }
}
