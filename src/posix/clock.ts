// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Where the scheduler reads the time (C: gettimeofday). */
export interface Clock {
  /** Seconds since the epoch, with a fraction. Only its whole seconds enter a rule of the scheduler. */
  now(): number;
}

/** The system's wall clock, as the C scheduler reads it: it jumps when somebody sets the time. */
export const wallClock: Clock = {
  now: () => Date.now() / 1000,
};

const timeOriginMs = performance.timeOrigin;

/**
 * A clock that starts at the wall clock's time and then only moves forward, at the rate of the monotonic clock.
 *
 * It is the default: a time set back while the program runs postpones nothing, one set forward makes nothing due.
 * It does not follow the wall clock afterwards. {@link wallClock} restores what C does.
 */
export const monotonicClock: Clock = {
  now: () => (timeOriginMs + performance.now()) / 1000,
};
