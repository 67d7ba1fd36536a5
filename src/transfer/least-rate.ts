// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** A primary is judged by what it has sent in so many seconds; the first of them are up to 1 s less. */
export const RATE_SECONDS = 10;

export interface LeastRateOptions {
  readonly registrar: EventRegistrar;
  /** In bytes a second. */
  readonly rate: number;
  /** How many bytes of the image there are by now. */
  readonly bytes: () => number;
  /** Whether the peer is waited for at this moment, and not one's own disk. */
  readonly isItsTurn: () => boolean;
  /** Told once. */
  readonly onSlow: (why: string) => void;
}

/** Watches over a peer that could keep a place for itself with a byte now and then. */
export class LeastRate implements Disposable {
  readonly #event: AwaitedEvent;
  readonly #options: LeastRateOptions;
  #before = 0;

  constructor(options: LeastRateOptions) {
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar);
  }

  /** @returns 0, or -EBUSY and the like when there is no event left */
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
