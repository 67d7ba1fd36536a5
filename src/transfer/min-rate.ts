// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** The rate is measured over this many seconds; the first time over up to 1 s less. */
export const RATE_SECONDS = 10;

export interface MinRateOptions {
  readonly registrar: EventRegistrar;
  /** Bytes per second. */
  readonly rate: number;
  /** The bytes of the image received so far. */
  readonly bytes: () => number;
  /** Whether we are waiting for the peer now, and not for our own disk. */
  readonly isItsTurn: () => boolean;
  /** Called once. */
  readonly onSlow: (why: string) => void;
}

/** Stops a peer from occupying the backup with a byte now and then. */
export class MinRate implements Disposable {
  readonly #event: AwaitedEvent;
  readonly #options: MinRateOptions;
  #before = 0;

  constructor(options: MinRateOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
  }

  /** @returns 0, or -EBUSY or the like when no event id is free */
  start(): number {
    if (this.#options.rate === 0) return 0;
    return this.#event.setTimer(RATE_SECONDS, () => this.#judge());
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    this.#event.clear();
  }

  #judge(): void {
    const { rate, bytes, isItsTurn, onSlow } = this.#options;
    const moved = bytes() - this.#before;
    this.#before += moved;
    if (moved < rate * (RATE_SECONDS - 1) && isItsTurn())
      return onSlow(`the primary sends less than ${rate} bytes a second`);
    const result = this.start();
    if (result < 0) onSlow('its rate cannot be watched');
    return undefined;
  }
}
