// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../errno.js';
import { READABLE } from '../poller.js';
import { Descriptor } from './descriptor.js';

const COUNT_BYTES = 8;

/** What wakes a timer: one deadline at a time. */
export interface Sleep {
  /** Wakes once, this many seconds from now; a deadline that was set before is forgotten. */
  start(seconds: number): void;
  /** Forgets the deadline. */
  stop(): void;
}

/** A timer under a descriptor (Linux: timerfd on CLOCK_MONOTONIC, one expiration for each setting). */
export class TimerDescriptor extends Descriptor {
  readonly #sleep: Sleep;

  /** @param createSleep makes what calls `wake` when the deadline is reached */
  constructor(createSleep: (wake: () => void) => Sleep) {
    super();
    this.#sleep = createSleep(() => this.setReady(READABLE));
  }

  override describe(): string {
    return this.ready ? 'timerfd, expired' : 'timerfd';
  }

  /** Sets the deadline, or with 0 none; an expiration that was not read is forgotten. -EINVAL unless a number from 0 on. */
  override setTimer(seconds: number): number {
    if (!(seconds >= 0 && seconds < Infinity)) return -errno.EINVAL;
    this.setReady(0);
    if (seconds > 0) this.#sleep.start(seconds);
    else this.#sleep.stop();
    return 0;
  }

  /** 8 bytes with the number of expirations, 1. Errors: -EAGAIN before the deadline, -EINVAL for less than 8 bytes. */
  override read(buffer: Uint8Array): number {
    if (buffer.length < COUNT_BYTES) return -errno.EINVAL;
    if (!this.ready) return -errno.EAGAIN;
    buffer.fill(0, 0, COUNT_BYTES);
    buffer[0] = 1;
    this.setReady(0);
    return COUNT_BYTES;
  }

  override write(): number {
    return -errno.EINVAL;
  }

  override close(): void {
    this.#sleep.stop();
  }
}
