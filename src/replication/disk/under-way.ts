// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from './local-disk.js';

/** Counts calls that are under way, for those who have to wait for their end. */
export class UnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];
  /** What the last one that failed has ended with; 0: none has failed. */
  failure = 0;

  /** One more; it ends with the call of what is returned, which calls `done`. */
  begin(done: Done): Done {
    this.#count += 1;
    return (result) => {
      this.#count -= 1;
      if (result < 0) this.failure = result;
      done(result);
      if (this.#count > 0) return;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    };
  }

  /** Resolves once there is none. */
  none(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
