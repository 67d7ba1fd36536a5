// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A timer that was set: it keeps the process alive unless unreferenced. */
export interface TimerHandle {
  ref(): unknown;
  unref(): unknown;
}

/** Where sleeping takes its time from; in a test it comes from outside. */
export interface Timers {
  /** Milliseconds on a clock that only moves forward, with a fraction. */
  now(): number;
  /** Calls `callback` once, after `delayMs` (a whole number, at most `MAX_TIMER_MS`) or up to 1 ms earlier. */
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** The longest delay a Node timer takes; a longer one would become 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Node's own timers and its monotonic clock. */
export const nodeTimers: Timers = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => {
    clearTimeout(handle as NodeJS.Timeout);
  },
};
