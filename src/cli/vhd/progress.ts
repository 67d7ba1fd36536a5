// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../../posix/clock.js';
import { formatWait } from '../../server/format.js';
import { percent } from '../percent.js';
import { progressBar } from '../transfer/progress-bar.js';

/** Where progress is shown. */
export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR_COLUMNS = 30;
/** The width of a terminal that does not report it. */
const USUAL_COLUMNS = 80;
/** Before that nobody knows how long the rest takes. */
const MIN_SECONDS = 1;

/** A line on a terminal that says how far long work is, and how long it may take; nothing where there is no terminal. */
export class Progress {
  readonly #out: ProgressOutput;
  readonly #clock: Clock;
  #start: number | undefined;
  #percent = -1;
  #width = 0;

  /** @param clock one that does not jump */
  constructor(out: ProgressOutput, clock: Clock) {
    this.#out = out;
    this.#clock = clock;
  }

  /** Shows only whole percents, so that much work does not mean many lines. */
  show(what: string, done: number, total: number): void {
    const share = percent(done, total);
    this.#start ??= this.#clock.now();
    if (this.#out.isTTY !== true || share === this.#percent) return;
    this.#percent = share;
    const bar = progressBar(BAR_COLUMNS, { bytes: done, totalBytes: total });
    const room = (this.#out.columns ?? USUAL_COLUMNS) - 1;
    const text = [what, bar, `${share} %`, ...this.#left(this.#start, done, total)].join('  ').slice(0, room);
    // What a longer line before it left is overwritten.
    this.#out.write(`\r${text.padEnd(this.#width)}`);
    this.#width = text.length;
  }

  #left(start: number, done: number, total: number): string[] {
    const seconds = this.#clock.now() - start;
    if (done === 0 || done >= total || seconds < MIN_SECONDS) return [];
    return [`${formatWait(Math.ceil((seconds * (total - done)) / done))} left`];
  }

  /** Ends the line, if there is one. */
  end(): void {
    if (this.#percent >= 0) this.#out.write('\n');
    this.#percent = -1;
    this.#width = 0;
    this.#start = undefined;
  }
}
