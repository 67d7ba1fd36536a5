// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the lag is looked at: each look wakes the process, and 20 in a second cost about a thousandth of a processor. */
export const LAG_RESOLUTION_MS = 50;

/** How much later than asked for Node's event loop came round, in seconds, since the measuring began. */
export interface LagMeasures {
  readonly meanSeconds: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/** What Node records of its event loop, in nanoseconds. */
export type LoopHistogram = Pick<IntervalHistogram, 'enable' | 'disable' | 'mean' | 'max' | 'percentile'>;

/** Measures how long the event loop keeps those waiting whose time has come. Does not keep the process alive. */
export class LoopLag implements Disposable {
  readonly #histogram: LoopHistogram;

  /** @param histogram of looks every 50 ms; Node's unless given */
  constructor(histogram: LoopHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })) {
    this.#histogram = histogram;
    histogram.enable();
  }

  measures(): LagMeasures {
    const histogram = this.#histogram;
    return {
      meanSeconds: lagSeconds(histogram.mean),
      p50Seconds: lagSeconds(histogram.percentile(50)),
      p99Seconds: lagSeconds(histogram.percentile(99)),
      maxSeconds: lagSeconds(histogram.max),
    };
  }

  [Symbol.dispose](): void {
    this.#histogram.disable();
  }
}

/** Node records the whole time between two looks; before the second look its numbers are NaN, or those of no sample. */
function lagSeconds(nanoseconds: number): number {
  const seconds = nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000;
  return Number.isNaN(seconds) ? 0 : Math.max(0, seconds);
}
