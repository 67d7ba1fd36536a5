// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventQueue, FutureEvent } from './event-queue.js';

export const SECOND = 1e6;
/** Linux's tcp_syn_retries: given up after 127 s. */
export const SYN_RETRIES = 6;
/** Linux's tcp_synack_retries. */
export const SYN_ACK_RETRIES = 5;
/** Linux's tcp_retries2: given up after about a quarter of an hour. */
export const DATA_RETRIES = 15;
/** The same for what nobody owns any more (tcp_orphan_retries). */
export const ORPHAN_RETRIES = 8;
/** How long a closed endpoint waits for its peer's end of file, in microseconds (tcp_fin_timeout). */
export const FIN_TIMEOUT = 60 * SECOND;

/** The first pauses before a connection's hello and its data are sent again, in microseconds. */
export const HELLO_PAUSE = SECOND;
export const DATA_PAUSE = 0.2 * SECOND;
const LONGEST_PAUSE = 120 * SECOND;

/** An endpoint's one timer: what was lost is sent again after a pause, which doubles from one time to the next. */
export class Retries {
  #count = 0;
  #timer: FutureEvent | undefined;

  private readonly queue: EventQueue;

  constructor(queue: EventQueue) {
    this.queue = queue;
  }

  /** How often in a row something was tried again. */
  get count(): number {
    return this.#count;
  }

  get isPending(): boolean {
    return this.#timer !== undefined;
  }

  /** Tries again after a pause that counts from the microsecond `since`, unless something is pending already. */
  pause(firstPause: number, since: number, again: () => void): void {
    if (this.isPending) return;
    const due = since + Math.min(firstPause * 2 ** this.#count, LONGEST_PAUSE);
    this.after(Math.max(0, due - this.queue.nowMicroseconds), () => {
      this.#count += 1;
      again();
    });
  }

  /** Does something after a delay in microseconds. */
  after(delay: number, action: () => void): void {
    this.#timer = this.queue.after(delay, () => {
      this.#timer = undefined;
      action();
    });
  }

  /** Something has arrived: pauses are short again. */
  succeed(): void {
    this.#count = 0;
  }

  /** Nothing is tried again. */
  stop(): void {
    this.#count = 0;
    this.queue.cancel(this.#timer);
    this.#timer = undefined;
  }
}
