// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Where the scheduler reads the time (C: gettimeofday). */
export interface Clock {
  /** Seconds since the epoch, with a fraction. Only its whole seconds enter a rule of the scheduler. */
  now(): number;
}

/** Where tapdisk3's scheduler reads the time (C: gettimeofday). */
export interface MicrosecondClock {
  /** Microseconds since the epoch, a whole number. It may be negative, and anything from one reading to the next. */
  nowMicroseconds(): number;
}

/**
 * A clock of whole microseconds: the clock itself where it has them, else its seconds rounded, which is exact as long as they
 * are below 2^32 (in the year 2106).
 */
export function microsecondClock(clock: Clock | (Clock & MicrosecondClock)): MicrosecondClock {
  if ('nowMicroseconds' in clock) return clock;
  return { nowMicroseconds: () => Math.round(clock.now() * 1e6) };
}

/** The system's wall clock, as the C scheduler reads it: it jumps when somebody sets the time. */
export const wallClock: Clock & MicrosecondClock = {
  now: () => Date.now() / 1000,
  nowMicroseconds: () => Date.now() * 1000,
};

/** A time of the wall clock in the form of RFC 3339, in UTC with milliseconds: `2026-11-25T23:30:12.345Z`. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

const timeOriginMs = performance.timeOrigin;

/**
 * A clock that starts at the wall clock's time and then only moves forward, at the rate of the monotonic clock.
 *
 * It is the default: a time set back while the program runs postpones nothing, one set forward makes nothing due.
 * It does not follow the wall clock afterwards. {@link wallClock} restores what C does.
 */
export const monotonicClock: Clock & MicrosecondClock = {
  now: () => (timeOriginMs + performance.now()) / 1000,
  nowMicroseconds: () => Math.floor((timeOriginMs + performance.now()) * 1000),
};
