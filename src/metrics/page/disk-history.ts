// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { latencyQuantiles } from '../../disks/index.js';
import type { VbdReport } from '../report.js';
import { type History, HISTORY_SECONDS, type Sample, SAMPLE_FIELDS } from './wire.js';

/** The counts that rates are made of. */
interface Counts {
  readonly at: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly latencies: Float64Array;
}

/** The last {@link HISTORY_SECONDS} samples of a disk: 26 KB, whatever it does. */
export class DiskHistory {
  readonly #times = new Float64Array(HISTORY_SECONDS);
  /** NaN where nothing was measured. */
  readonly #columns = SAMPLE_FIELDS.map(() => new Float32Array(HISTORY_SECONDS));
  /** Samples since the beginning. */
  #count = 0;
  #before: Counts | undefined;
  #last: Sample = noSample;

  /** The newest sample. */
  get last(): Sample {
    return this.#last;
  }

  /**
   * Measures what has happened since the last call.
   *
   * @param at seconds of the clock
   * @param latencies of the disk, see LatencyHistogram
   */
  take(at: number, latencies: Float64Array, report: VbdReport): void {
    const { read, write } = report.kinds;
    const counts: Counts = {
      at,
      readBytes: read.bytes,
      writtenBytes: write.bytes,
      reads: read.completed,
      writes: write.completed,
      latencies,
    };
    const before = this.#before;
    // Without time between them there is no rate; what was counted belongs to the next sample.
    if (before !== undefined && at <= before.at) return;
    this.#before = counts;
    if (before === undefined) return;
    const seconds = at - before.at;
    const rate = (field: Exclude<keyof Counts, 'at' | 'latencies'>): number =>
      rounded((counts[field] - before[field]) / seconds);
    const [p50 = NaN, p99 = NaN] = latencyQuantiles(counts.latencies, before.latencies, [0.5, 0.99]);
    this.#push(at, {
      readBytes: rate('readBytes'),
      writtenBytes: rate('writtenBytes'),
      reads: rate('reads'),
      writes: rate('writes'),
      p50Seconds: measured(p50),
      p99Seconds: measured(p99),
      inFlight: report.inFlight,
      waiting: report.waiting,
      rpoSeconds: measured(report.replication?.rpoSeconds ?? NaN),
    });
  }

  /** All samples, the oldest first. */
  history(minor: number): History {
    const length = Math.min(this.#count, HISTORY_SECONDS);
    const places = Array.from({ length }, (_, index) => (this.#count - length + index) % HISTORY_SECONDS);
    const columns = SAMPLE_FIELDS.map((field, column) => [
      field,
      places.map((place) => measured(this.#columns[column]?.[place] as number)),
    ]);
    return {
      minor,
      at: places.map((place) => Number((this.#times[place] as number).toFixed(1))),
      columns: Object.fromEntries(columns) as History['columns'],
    };
  }

  #push(at: number, sample: Sample): void {
    const place = this.#count % HISTORY_SECONDS;
    this.#times[place] = at;
    SAMPLE_FIELDS.forEach((field, column) => {
      const values = this.#columns[column] as Float32Array;
      values[place] = sample[field] ?? NaN;
    });
    this.#count += 1;
    this.#last = sample;
  }
}

const noSample = Object.fromEntries(SAMPLE_FIELDS.map((field) => [field, null])) as unknown as Sample;

/** As in the JSON. */
function measured(value: number): number | null {
  return Number.isNaN(value) ? null : rounded(value);
}

/** To four digits: what a plot can show, in a third of the bytes. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
