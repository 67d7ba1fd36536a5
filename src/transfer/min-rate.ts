// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { errnoCode } from '../posix/errno.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** The rate is measured over this many seconds; the first time over up to 1 s less. */
export const RATE_SECONDS = 10;

export interface MinRateOptions {
  readonly registrar: EventRegistrar;
  readonly clock: Clock;
  /** Bytes per second. */
  readonly rate: number;
  /** The bytes of the image received so far. */
  readonly bytes: () => number;
  /** Called once, with an errno's name: ETIMEDOUT of a slow peer, EBUSY or the like when no event id is free any more. */
  readonly onEnd: (code: string, why: string) => void;
}

/** Stops a peer from occupying the backup with a byte now and then. Time in which it has to wait for us does not count. */
export class MinRate implements Disposable {
  readonly #event: AwaitedEvent;
  readonly #options: MinRateOptions;
  #before = 0;
  /** Seconds of this measurement in which the peer had to wait, up to the last {@link resume}. */
  #pausedSeconds = 0;
  #pausedSince: number | undefined;

  constructor(options: MinRateOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
  }

  /** @returns 0, or -EBUSY or the like when no event id is free */
  start(): number {
    if (this.#options.rate === 0) return 0;
    return this.#event.setTimer(RATE_SECONDS, () => this.#judge());
  }

  /** The peer has to wait for our own disk from now on. Idempotent. */
  pause(): void {
    this.#pausedSince ??= this.#options.clock.now();
  }

  /** We wait for the peer again. Idempotent. */
  resume(): void {
    if (this.#pausedSince === undefined) return;
    // The clock may have been set back.
    this.#pausedSeconds += Math.max(0, this.#options.clock.now() - this.#pausedSince);
    this.#pausedSince = undefined;
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.#event.clear();
  }

  #judge(): void {
    const { rate, bytes, clock, onEnd } = this.#options;
    const moved = bytes() - this.#before;
    const seconds = RATE_SECONDS - 1 - this.#pausedSeconds;
    this.#before += moved;
    this.#pausedSeconds = 0;
    if (this.#pausedSince !== undefined) this.#pausedSince = clock.now();
    else if (moved < rate * seconds)
      return onEnd('ETIMEDOUT', `the primary sends less than ${rate} bytes a second`);
    const result = this.start();
    if (result < 0) onEnd(errnoCode(result), 'there is no event left to watch its rate');
    return undefined;
  }
}
