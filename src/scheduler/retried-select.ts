// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor } from '../posix/poller.js';

/** What a select ends with: what is ready, or a negative errno that is not -EINTR. */
export type SelectEnd = readonly ReadyDescriptor[] | number;

/**
 * A select that is called again after EINTR, for the time that is left (rule T-W5). One at a time; times are microseconds.
 *
 * The time left is counted by the scheduler's clock.
 */
export class RetriedSelect {
  readonly #poller: Poller;
  readonly #readNow: () => number;
  #isSleeping = false;
  /** When the call that sleeps began, and for how long it sleeps. */
  #start = 0;
  #span = 0;

  constructor(poller: Poller, readNow: () => number) {
    this.#poller = poller;
    this.#readNow = readNow;
  }

  get isSleeping(): boolean {
    return this.#isSleeping;
  }

  /**
   * Calls one of the two once, from an empty stack unless the poller throws at once.
   *
   * @param answered must not throw
   * @param failed gets what the poller has thrown
   */
  begin(span: number, answered: (end: SelectEnd) => void, failed: (error: unknown) => void): void {
    this.#isSleeping = true;
    const ended = (end: SelectEnd): void => {
      if (end === -errno.EINTR) {
        this.#select(Math.max(0, this.#span - this.#elapsed()), ended, gaveUp);
        return;
      }
      this.#isSleeping = false;
      answered(end);
    };
    const gaveUp = (error: unknown): void => {
      this.#isSleeping = false;
      failed(error);
    };
    this.#select(span, ended, gaveUp);
  }

  /** If it sleeps, it does so at most this long from now on. */
  shorten(span: number): void {
    const elapsed = this.#elapsed();
    if (elapsed + span >= this.#span) return;
    this.#span = elapsed + span;
    this.#poller.shorten(span / 1e6);
  }

  #select(span: number, ended: (end: SelectEnd) => void, gaveUp: (error: unknown) => void): void {
    const poller = this.#poller;
    this.#start = this.#readNow();
    this.#span = span;
    try {
      poller.select(span / 1e6, ended);
    } catch (error) {
      gaveUp(error);
    }
  }

  /** Since the call that sleeps began; a clock that went back takes nothing away. */
  #elapsed(): number {
    return Math.max(0, this.#readNow() - this.#start);
  }
}
