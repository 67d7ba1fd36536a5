// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from '../index.js';

/**
 * Flushes a file for all who ask: those who ask while a flush is under way share the next one, since that under way may
 * have begun before what they want flushed.
 *
 * A flush that failed is remembered until the image is opened again, and fails all later ones: the kernel reports lost
 * data once, and the next caller would be told that lost data is safe.
 */
export class FlushGroup {
  readonly #sync: (done: Done) => void;
  #underWay = false;
  #waiting: Done[] = [];
  #failure = 0;

  constructor(sync: (done: Done) => void) {
    this.#sync = sync;
  }

  flush(done: Done): void {
    this.#waiting.push(done);
    if (!this.#underWay) this.#next();
  }

  #next(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#underWay = true;
    const end = (result: number): void => {
      if (result < 0) this.#failure = result;
      this.#underWay = false;
      for (const done of group) done(result);
      if (this.#waiting.length > 0 && !this.#underWay) this.#next();
    };
    if (this.#failure < 0) end(this.#failure);
    else this.#sync(end);
  }
}
