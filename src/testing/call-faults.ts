// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The calls of a simulated operating system, by the names under which faults are asked for and traces are written. */
export const CALL_NAMES = [
  'socket',
  'setsockopt',
  'getsockopt',
  'fcntl',
  'bind',
  'listen',
  'accept',
  'connect',
  'close',
  'read',
  'write',
  'shutdown',
  'getsockname',
  'getpeername',
  'getaddrinfo',
  'resolve',
  'eventfd',
  'timerfd',
  'timerfdSettime',
  'select',
] as const;

/** The calls of Posix that can be made to fail. */
export type CallName = (typeof CALL_NAMES)[number];

/** Which calls are to fail: of those of a system, or of others that have names. */
export interface CallFaultOptions<Name extends string = CallName> {
  /** The calls that count; every kind unless given. */
  readonly calls?: readonly Name[];
  /** Which of them fails, counted from 1 from now on; the next one unless given. */
  readonly nth?: number;
  /** How many fail from there on; 1 unless given, Infinity for all. */
  readonly times?: number;
  /**
   * What they return: a positive errno, or for getaddrinfo and resolve an EAI_ code of either sign; or a function that
   * chooses, undefined to let this call through (it still counts).
   */
  readonly error: number | ((call: Name) => number | undefined);
}

/** Calls that were made to fail. */
export class CallFault<Name extends string = CallName> {
  #calls = 0;
  #failed = 0;
  #lastFailed: Name | undefined;
  #lastError = 0;
  #isCancelled = false;

  private readonly options: CallFaultOptions<Name>;

  /** @throws RangeError that names the number that makes no sense */
  constructor(options: CallFaultOptions<Name>) {
    this.options = options;
    const { nth = 1, times = 1 } = options;
    if (!Number.isSafeInteger(nth) || nth < 1)
      throw new RangeError(`nth is ${nth}, but must be a whole number from 1 up`);
    if (!(times >= 1)) throw new RangeError(`times is ${times}, but must be 1 or more`);
  }

  /** How many calls have counted. */
  get calls(): number {
    return this.#calls;
  }

  /** How many calls have failed by it. */
  get failed(): number {
    return this.#failed;
  }

  /** The call that failed by it last. */
  get lastFailed(): Name | undefined {
    return this.#lastFailed;
  }

  /** What it returned, positive; 0 before any has failed. */
  get lastError(): number {
    return this.#lastError;
  }

  /** Whether no call can fail by it any more. */
  get isOver(): boolean {
    const { nth = 1, times = 1 } = this.options;
    return this.#isCancelled || this.#calls >= nth + times - 1;
  }

  /** No call fails by it any more. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /**
   * Counts a call: its negative answer if it is to fail.
   *
   * @param isTaken whether it fails already, by another fault
   */
  next(call: Name, isTaken = false): number | undefined {
    const { calls, nth = 1, error } = this.options;
    if (this.isOver || (calls !== undefined && !calls.includes(call))) return undefined;
    this.#calls += 1;
    if (isTaken || this.#calls < nth) return undefined;
    const chosen = typeof error === 'number' ? error : error(call);
    if (chosen === undefined) return undefined;
    this.#failed += 1;
    this.#lastFailed = call;
    this.#lastError = Math.abs(chosen);
    return -this.#lastError;
  }
}
