// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';

/** The rate is taken over this many seconds at least, and twice as many at most, once there are that many. */
const WINDOW_SECONDS = 1;
/** So long without a byte is a pause. */
const PAUSE_SECONDS = 2;

interface Mark {
  readonly seconds: number;
  readonly bytes: number;
}

/** How many bytes a transfer has moved, for how long and how fast. */
export class Meter {
  readonly #clock: Clock;
  readonly #onProgress: () => void;
  readonly #started: number;
  #ended: number | undefined;
  #bytes = 0;
  #lastProgress: number;
  /** Where the window begins, and where the next one will. */
  #marks: [Mark, Mark];

  /**
   * It runs from now on.
   *
   * @param onProgress called whenever bytes are added
   */
  constructor(clock: Clock, onProgress: () => void = () => {}) {
    this.#clock = clock;
    this.#onProgress = onProgress;
    this.#started = clock.now();
    this.#lastProgress = this.#started;
    this.#marks = this.#markAt(this.#started);
  }

  add(bytes: number): void {
    const now = this.#clock.now();
    // What was before a pause says nothing of the rate after it.
    if (now - this.#lastProgress >= PAUSE_SECONDS) this.#marks = this.#markAt(now);
    this.#lastProgress = now;
    this.#bytes += bytes;
    if (now - this.#marks[1].seconds >= WINDOW_SECONDS) {
      this.#marks = [this.#marks[1], { seconds: now, bytes: this.#bytes }];
    }
    this.#onProgress();
  }

  /** The time stands still from now on. */
  stop(): void {
    this.#ended ??= this.#clock.now();
  }

  get bytes(): number {
    return this.#bytes;
  }

  get seconds(): number {
    return Math.max(0, (this.#ended ?? this.#clock.now()) - this.#started);
  }

  /** For how long no byte has moved; 0 once it has been stopped. */
  get quietSeconds(): number {
    return this.#ended === undefined ? Math.max(0, this.#clock.now() - this.#lastProgress) : 0;
  }

  /** Bytes per second, recently: 0 after a while without any. Over the whole time once it has been stopped. */
  get rate(): number {
    if (this.#ended !== undefined) return perSecond(this.#bytes, this.seconds);
    if (this.quietSeconds >= PAUSE_SECONDS) return 0;
    const [from] = this.#marks;
    return perSecond(this.#bytes - from.bytes, this.#clock.now() - from.seconds);
  }

  #markAt(seconds: number): [Mark, Mark] {
    const mark = { seconds, bytes: this.#bytes };
    return [mark, mark];
  }
}

function perSecond(bytes: number, seconds: number): number {
  return seconds > 0 ? Math.round(bytes / seconds) : 0;
}
