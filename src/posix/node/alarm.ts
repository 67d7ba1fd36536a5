// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MAX_TIMER_MS, type TimerHandle, type Timers } from '../timers.js';

/**
 * A deadline that moves often and mostly is not reached, on one timer.
 *
 * Setting it later than the timer is set for touches no timer: the timer goes off at its old time, looks at the clock and
 * sleeps again. Clearing it leaves the timer where it is, only it no longer holds the process alive. So a loop that
 * sleeps and is woken ten thousand times a second sets a timer now and then, not ten thousand times.
 */
export class Alarm {
  readonly #timers: Timers;
  readonly #due: () => void;
  #deadlineMs = 0;
  #armed: { handle: TimerHandle; atMs: number } | undefined;
  #active = false;

  /** @param due called once when a deadline is reached; the alarm is cleared then */
  constructor(timers: Timers, due: () => void) {
    this.#timers = timers;
    this.#due = due;
  }

  /** Sets the deadline, on the timers' clock. Infinity is a sleep without end, which holds the process alive too. */
  set(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    this.#active = true;
    if (this.#armed === undefined) this.#arm();
    else if (deadlineMs < this.#armed.atMs) {
      this.#timers.clearTimeout(this.#armed.handle);
      this.#arm();
    } else this.#armed.handle.ref();
  }

  /** There is no deadline any more; nothing holds the process alive. */
  clear(): void {
    if (!this.#active) return;
    this.#active = false;
    this.#armed?.handle.unref();
  }

  /** Ends its use: the timer goes too. */
  close(): void {
    this.clear();
    if (this.#armed !== undefined) this.#timers.clearTimeout(this.#armed.handle);
    this.#armed = undefined;
  }

  #arm(): void {
    const now = this.#timers.now();
    // Node cuts fractions off and may fire up to 1 ms early: round up, and look at the clock again when it fires.
    const delayMs = Math.min(Math.max(Math.ceil(this.#deadlineMs - now), 1), MAX_TIMER_MS);
    const handle = this.#timers.setTimeout(() => this.#fire(), delayMs);
    this.#armed = { handle, atMs: now + delayMs };
  }

  #fire(): void {
    this.#armed = undefined;
    if (!this.#active) return;
    if (this.#timers.now() < this.#deadlineMs) {
      this.#arm();
      return;
    }
    this.#active = false;
    this.#due();
  }
}
