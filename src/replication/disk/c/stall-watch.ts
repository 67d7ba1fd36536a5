// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Timer, type TimerHost } from '../timer.js';

/** A stall is noticed after the time that was given, and a quarter of it at most. */
const LOOKS = 4;

export interface StallWatchParts {
  readonly host: TimerHost;
  /** How long something may stand still. */
  readonly seconds: number;
  /** Whether something is expected to move. */
  readonly isWaiting: () => boolean;
  /** Another number whenever something has moved. */
  readonly progress: () => number;
  readonly onStall: () => void;
}

/** Notices when a stream stands still in the middle of something. It counts looks, so a clock that steps is nothing to it. */
export class StallWatch {
  readonly #parts: StallWatchParts;
  readonly #timer: Timer;
  #last!: number;
  #looks!: number;

  constructor(parts: StallWatchParts) {
    this.#parts = parts;
    this.#timer = new Timer(parts.host, () => this.#look());
  }

  /** To be called when something may be waiting that was not. */
  check(): void {
    if (this.#timer.isSet || !this.#parts.isWaiting()) return;
    this.#begin();
  }

  close(): void {
    this.#timer.close();
  }

  #begin(): void {
    this.#last = this.#parts.progress();
    this.#looks = 0;
    this.#again();
  }

  #again(): void {
    this.#timer.set(this.#parts.seconds / LOOKS);
  }

  #look(): void {
    const { isWaiting, progress, onStall } = this.#parts;
    if (!isWaiting()) return;
    if (progress() !== this.#last) {
      this.#begin();
      return;
    }
    this.#looks += 1;
    if (this.#looks >= LOOKS) onStall();
    else this.#again();
  }
}
