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

/** What is asked of select: for each descriptor number, the conditions somebody waits for. */
export interface Interest {
  /** 1 + the highest descriptor asked for; when there is none 1 (rule W4), or 0 (rule T-W3). May cost as much as there are descriptors. */
  readonly nfds: number;
  /** The mask of conditions asked for on `fd`; 0 when none. */
  conditions(fd: number): number;
  /** The descriptors asked for under one condition, in ascending order. Costs as much as there are descriptors. */
  descriptors(condition: number): number[];
}

/** Takes what select answers. It must not throw. */
export type SelectAnswer = (ready: readonly ReadyDescriptor[] | number) => void;

/**
 * What answers select for one scheduler.
 *
 * Interest is told as it changes and not with every call, so that a call costs what is ready and not what is asked for.
 * Interest belongs to the number, not to what is open under it (rule D3): it may be told for a number that is not open,
 * and outlives a close.
 */
export interface Poller {
  /** From now on, also for a select under way, `conditions` (a mask, 0 for none) are asked for on `fd`. */
  setInterest(fd: number, conditions: number): void;

  /**
   * Waits until something asked for is ready, or `timeoutSeconds` (>= 0) are over, whichever is first.
   * At most one call may be under way.
   *
   * Answers what is ready and was asked for, each descriptor once (empty after the time is over), or a negative errno:
   * -EBADF when a number with interest is not open (rule D4; {@link badDescriptors} then names them).
   * Readiness is a level. Every call lets Node's event loop poll for I/O once before it answers, also with timeout 0.
   */
  select(interest: Interest, timeoutSeconds: number): Promise<readonly ReadyDescriptor[] | number>;

  /**
   * select without a promise: calls `answer` once, from an empty stack, with what select would answer. `answer` may call
   * it again. It spares a message through a descriptor the turns of the promise queue. A poller need not have it.
   */
  selectThen?(interest: Interest, timeoutSeconds: number, answer: SelectAnswer): void;

  /** A select under way sleeps at most `timeoutSeconds` from now on; without one, nothing happens. */
  shorten(timeoutSeconds: number): void;

  /** The numbers with interest that are not open at this moment, ascending. */
  badDescriptors(): number[];

  /** Ends its use: forgets all interest and answers a select under way with an empty list. */
  close(): void;
}
