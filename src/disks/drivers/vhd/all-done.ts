// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from '../../driver.js';

/** Completes once when all of several parts have, with 0 or the first error (V49). */
export class AllDone {
  readonly #done: Done;
  #expected = 0;
  #result = 0;

  constructor(done: Done) {
    this.#done = done;
  }

  /** One part more; call what it returns once with the part's result. There must be a part open at any time but the end. */
  expect(): Done {
    this.#expected++;
    return (result) => {
      if (result < 0 && this.#result === 0) this.#result = result;
      this.#expected--;
      if (this.#expected === 0) this.#done(this.#result);
    };
  }
}
