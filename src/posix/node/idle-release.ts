// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { collectGarbage } from './collect-garbage.js';
import type { TimerHandle, Timers } from '../timers.js';

/** When memory that nobody takes or gives back is released to the kernel, in milliseconds; after twice that at the latest. */
export const BUFFERS_IDLE_MS = 8_000;

/** Releases memory once it has not been used for a while. There is a timer only from a use to the release after it. */
export class IdleRelease implements Disposable {
  readonly #timers: Timers;
  readonly #release: () => void;
  #isUsed = false;
  #idle: TimerHandle | undefined;

  /** @param release forgets buffers that are not in use; then the garbage is collected */
  constructor(timers: Timers, release: () => void) {
    this.#timers = timers;
    this.#release = release;
  }

  /** Memory is taken or given back. */
  used(): void {
    this.#isUsed = true;
    if (this.#idle === undefined) this.#watch();
  }

  #watch(): void {
    this.#isUsed = false;
    this.#idle = this.#timers.setTimeout(() => {
      this.#idle = undefined;
      if (this.#isUsed) this.#watch();
      else {
        this.#release();
        collectGarbage();
      }
    }, BUFFERS_IDLE_MS);
    this.#idle.unref();
  }

  [Symbol.dispose](): void {
    if (this.#idle !== undefined) this.#timers.clearTimeout(this.#idle);
    this.#idle = undefined;
  }
}
