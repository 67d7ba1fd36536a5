// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type EventDescription, modeName } from '../scheduler/event.js';

/** A callback that took long. */
export interface SlowCallback {
  readonly seconds: number;
  readonly eventId: number;
  /** What fired, as `READ`. */
  readonly mode: string;
  readonly fd: number;
}

/** One of the slowest recent callbacks. */
export interface RecentSlowCallback extends SlowCallback {
  /** When it ended, in seconds of the scheduler's clock. */
  readonly atSeconds: number;
}

/** How many of the slowest are kept. */
export const MAX_SLOW_CALLBACKS = 10;
/** They cover at least this many seconds, and at most twice as many. */
export const SLOW_CALLBACKS_SECONDS = 60;

/** The slowest callbacks of the last one to two minutes. A callback that is none of them costs two comparisons. */
export class SlowCallbacks {
  /** Of this span of time, and of the one before it; the slowest first. */
  #recent: RecentSlowCallback[] = [];
  #earlier: RecentSlowCallback[] = [];
  #spanEnds = -Infinity;
  /** What takes no longer is none of the slowest of this span. */
  #threshold = -1;

  /**
   * @param seconds how long the callback took
   * @param now when it ended, in seconds
   */
  note(seconds: number, now: number, event: EventDescription, mode: number): void {
    if (seconds <= this.#threshold && now < this.#spanEnds) return;
    this.#turn(now);
    const { id, fd } = event;
    const slow = { seconds, eventId: id, mode: modeName(mode), fd, atSeconds: now };
    const index = this.#recent.findIndex((other) => other.seconds < seconds);
    this.#recent.splice(index < 0 ? this.#recent.length : index, 0, slow);
    if (this.#recent.length > MAX_SLOW_CALLBACKS) this.#recent.pop();
    if (this.#recent.length === MAX_SLOW_CALLBACKS) this.#threshold = this.#recent.at(-1)?.seconds ?? -1;
  }

  /** The slowest first. */
  list(now: number): readonly RecentSlowCallback[] {
    this.#turn(now);
    return [...this.#earlier, ...this.#recent]
      .toSorted((one, other) => other.seconds - one.seconds)
      .slice(0, MAX_SLOW_CALLBACKS);
  }

  #turn(now: number): void {
    if (now < this.#spanEnds) return;
    const isNext = now < this.#spanEnds + SLOW_CALLBACKS_SECONDS;
    this.#earlier = isNext ? this.#recent : [];
    this.#recent = [];
    this.#threshold = -1;
    this.#spanEnds = now + SLOW_CALLBACKS_SECONDS;
  }
}
