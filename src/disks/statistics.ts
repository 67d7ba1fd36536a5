// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from './driver.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { RequestKind } from './request-kind.js';
import type { VbdRequest } from './request.js';

/** Upper bounds of the latency histogram's buckets, in seconds; one more bucket takes what is slower. */
export const LATENCY_BOUNDS_SECONDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** What is known of one kind of request. Counts only grow, and start at 0 when the VBD is attached. */
export interface KindSnapshot {
  /** Completed, well or badly. */
  readonly completed: number;
  /** Completed with an error. */
  readonly failed: number;
  /** Bytes of those that completed well. */
  readonly bytes: number;
  /** Seconds from queueing to completion, summed over all completed. */
  readonly latencySumSeconds: number;
  /** Completed requests per bucket of {@link LATENCY_BOUNDS_SECONDS} (not cumulative), then those that were slower. */
  readonly latencyBuckets: readonly number[];
}

/** A VBD's counts at one moment. */
export interface StatisticsSnapshot {
  readonly kinds: Readonly<Record<RequestKind, KindSnapshot>>;
  /** Requests that a driver has. */
  readonly inFlight: number;
  /** Requests that wait for room, for resume, or to be tried again. */
  readonly waiting: number;
  /** Of these, the ones to be tried again. */
  readonly retrying: number;
  /** Tries after a first one that failed with EBUSY. */
  readonly retries: number;
}

/** Counts one kind of request. */
export class KindCounter {
  #completed = 0;
  #failed = 0;
  #bytes = 0;
  #latencySumSeconds = 0;
  readonly #buckets = Array.from({ length: LATENCY_BOUNDS_SECONDS.length + 1 }, () => 0);

  count(result: number, bytes: number, latencySeconds: number): void {
    this.#completed++;
    if (result < 0) this.#failed++;
    else this.#bytes += bytes;
    this.#latencySumSeconds += latencySeconds;
    const found = LATENCY_BOUNDS_SECONDS.findIndex((bound) => latencySeconds <= bound);
    const bucket = found < 0 ? LATENCY_BOUNDS_SECONDS.length : found;
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
  }

  snapshot(): KindSnapshot {
    return {
      completed: this.#completed,
      failed: this.#failed,
      bytes: this.#bytes,
      latencySumSeconds: this.#latencySumSeconds,
      latencyBuckets: [...this.#buckets],
    };
  }
}

/** Counts the requests of one VBD. */
export class RequestCounters {
  /** Of reads and writes. */
  readonly latencies = new LatencyHistogram();
  readonly #kinds: Readonly<Record<RequestKind, KindCounter>> = {
    read: new KindCounter(),
    write: new KindCounter(),
    flush: new KindCounter(),
    discard: new KindCounter(),
    writeZeroes: new KindCounter(),
  };

  /** Questions about a disk's blocks are not counted. `now`: seconds of the clock that the request's own time is of. */
  count(request: VbdRequest, result: number, now: number): void {
    if (request.kind === 'blockStatus') return;
    const seconds = now - request.queuedAt;
    this.#kinds[request.kind].count(result, request.sectors * SECTOR_SIZE, seconds);
    if (request.kind === 'read' || request.kind === 'write') this.latencies.add(seconds);
  }

  snapshot(): StatisticsSnapshot['kinds'] {
    const { read, write, flush, discard, writeZeroes } = this.#kinds;
    return {
      read: read.snapshot(),
      write: write.snapshot(),
      flush: flush.snapshot(),
      discard: discard.snapshot(),
      writeZeroes: writeZeroes.snapshot(),
    };
  }
}
