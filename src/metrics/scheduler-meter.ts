// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { type EventDescription, modeName } from '../scheduler/event.js';
import type { SchedulerObserver } from '../scheduler/observer.js';
import { type RecentSlowCallback, type SlowCallback, SlowCallbacks } from './slow-callbacks.js';

/** What is known of a scheduler's work. All but `events` only grows. */
export interface SchedulerMeasures {
  /** Registered at this moment, of those that were registered under this observer. */
  readonly events: number;
  readonly registered: number;
  readonly unregistered: number;
  readonly callbacks: number;
  /** Spent in callbacks. */
  readonly callbackSeconds: number;
  readonly slowestCallback: SlowCallback | undefined;
}

/** Counts what a scheduler does, and times its callbacks. */
export class SchedulerMeter implements SchedulerObserver {
  readonly #clock: Clock;
  #registered = 0;
  #unregistered = 0;
  #callbacks = 0;
  #callbackSeconds = 0;
  /** When each callback that is under way was entered: tapdisk3's scheduler enters some within others. */
  readonly #entered: number[] = [];
  #slowest: SlowCallback | undefined;
  readonly #slowOfLate = new SlowCallbacks();

  /** @param clock one with fractions of a second that does not jump */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  registered(): void {
    this.#registered += 1;
  }

  unregistered(): void {
    this.#unregistered += 1;
  }

  entering(): void {
    this.#entered.push(this.#clock.now());
  }

  left(event: EventDescription, mode: number): void {
    const now = this.#clock.now();
    const seconds = now - (this.#entered.pop() as number);
    this.#callbacks += 1;
    this.#callbackSeconds += seconds;
    this.#slowOfLate.note(seconds, now, event, mode);
    if (this.#slowest && seconds <= this.#slowest.seconds) return;
    this.#slowest = { seconds, eventId: event.id, mode: modeName(mode), fd: event.fd };
  }

  /** The slowest callbacks of the last minute or two, the slowest first. */
  slowOfLate(): readonly RecentSlowCallback[] {
    return this.#slowOfLate.list(this.#clock.now());
  }

  measures(): SchedulerMeasures {
    return {
      events: this.#registered - this.#unregistered,
      registered: this.#registered,
      unregistered: this.#unregistered,
      callbacks: this.#callbacks,
      callbackSeconds: this.#callbackSeconds,
      slowestCallback: this.#slowest,
    };
  }
}
