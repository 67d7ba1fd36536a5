// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The descriptor can be read, or accepted from, without waiting (the value is tapdisk's SCHEDULER_POLL_READ_FD). */
export const READABLE = 0x1;
/** The descriptor can be written without waiting. */
export const WRITABLE = 0x2;
/** An exceptional condition. Never reported on Node's sockets: Node gives no access to TCP urgent data. */
export const EXCEPTIONAL = 0x4;

/** A descriptor and the conditions it is ready for, a mask of READABLE, WRITABLE and EXCEPTIONAL; never 0. */
export interface ReadyDescriptor {
  readonly fd: number;
  readonly conditions: number;
}

/** What select returns: the ready descriptors, or a negative errno. */
export type Selected = readonly ReadyDescriptor[] | number;

/** Gets what select returns. It must not throw. */
export type SelectDone = (selected: Selected) => void;

/**
 * The select of one scheduler.
 *
 * Interest is set as it changes and not with every call, so that a call costs what is ready and not what is asked for.
 * Interest belongs to the number, not to what is open under it (rule D3): it may be set for a number that is not open,
 * and outlives a close.
 */
export interface Poller {
  /** From now on, also for a select under way, `conditions` (a mask, 0 for none) are asked for on `fd`. */
  setInterest(fd: number, conditions: number): void;

  /**
   * Waits until something asked for is ready, or `timeoutSeconds` (>= 0) are over, whichever is first.
   * At most one call may be under way.
   *
   * Calls `done` once, from an empty stack, with what is ready and was asked for, each descriptor once (none after the time
   * is over), or a negative errno: -EBADF when a number with interest is not open (rule D4; {@link badDescriptors} then
   * names them). `done` may call select again. Readiness is a level. Every call lets Node's event loop poll for I/O once
   * before it is done, also with timeout 0.
   */
  select(timeoutSeconds: number, done: SelectDone): void;

  /** A select under way sleeps at most `timeoutSeconds` from now on; without one, nothing happens. */
  shorten(timeoutSeconds: number): void;

  /** The numbers with interest that are not open at this moment, ascending. */
  badDescriptors(): number[];

  /** Ends its use: forgets all interest, and a select under way is done with an empty list. */
  close(): void;
}
