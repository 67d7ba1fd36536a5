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

  /**
   * @param seconds how long the callback took
   * @param now when it ended, in seconds
   */
  note(seconds: number, now: number, event: EventDescription, mode: number): void {
    if (this.#isNone(seconds) && now < this.#spanEnds) return;
    this.#turn(now);
    const { id, fd } = event;
    const slow = { seconds, eventId: id, mode: modeName(mode), fd, atSeconds: now };
    const index = this.#recent.findIndex((other) => other.seconds < seconds);
    const place = index < 0 ? this.#recent.length : index;
    this.#recent = this.#recent.toSpliced(place, 0, slow).slice(0, MAX_SLOW_CALLBACKS);
  }

  /** The slowest first. */
  list(now: number): readonly RecentSlowCallback[] {
    this.#turn(now);
    return [...this.#earlier, ...this.#recent]
      .toSorted((one, other) => other.seconds - one.seconds)
      .slice(0, MAX_SLOW_CALLBACKS);
  }

  /** Whether what took so long is none of the slowest of this span. */
  #isNone(seconds: number): boolean {
    const last = this.#recent.at(-1);
    return last !== undefined && this.#recent.length === MAX_SLOW_CALLBACKS && seconds <= last.seconds;
  }

  #turn(now: number): void {
    if (now < this.#spanEnds) return;
    const isNext = now < this.#spanEnds + SLOW_CALLBACKS_SECONDS;
    this.#earlier = isNext ? this.#recent : [];
    this.#recent = [];
    this.#spanEnds = now + SLOW_CALLBACKS_SECONDS;
  }
}
