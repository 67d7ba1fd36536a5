// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';

/** A clock that stands still until it is told to move, forwards or backwards. */
export class ScriptedClock implements Clock {
  #seconds: number;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  now(): number {
    return this.#seconds;
  }

  elapse(seconds: number): void {
    this.#seconds += seconds;
  }
}
