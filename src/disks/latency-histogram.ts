// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Buckets an octave: a latency is known to an eighth, or to a microsecond. */
const STEPS_BITS = 3;
const STEPS = 1 << STEPS_BITS;
/** What takes longer counts as this: 2^27 µs, 134 s. */
const MAX_MICROSECONDS = 2 ** 27;
const BUCKETS = bucketOf(MAX_MICROSECONDS) + 1;

/** Latencies counted in buckets that grow with them: eight an octave, from 1 µs to 134 s. Counts only grow. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);

  add(seconds: number): void {
    const bucket = bucketOf(Math.min(seconds * 1e6, MAX_MICROSECONDS));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  /** The counts as they are now, to be compared with later ones by {@link latencyQuantiles}. */
  counts(): Float64Array {
    return this.#counts.slice();
  }
}

/**
 * The latencies, in seconds, that the given parts of what was counted between two moments did not exceed; at most an
 * eighth or a microsecond too high. NaN when nothing was counted between them.
 *
 * @param before undefined: the beginning
 * @param parts from 0 to 1
 */
export function latencyQuantiles(
  now: Float64Array,
  before: Float64Array | undefined,
  parts: readonly number[],
): number[] {
  const counted = now.map((count, bucket) => count - (before?.[bucket] ?? 0));
  const total = counted.reduce((sum, count) => sum + count, 0);
  return parts.map((part) => {
    if (total === 0) return NaN;
    let sum = 0;
    const bucket = counted.findIndex((count) => {
      sum += count;
      return sum >= part * total && count > 0;
    });
    return upperBound(bucket) / 1e6;
  });
}

/** Below 8 µs each has its own; from there each octave has eight. */
function bucketOf(microseconds: number): number {
  const whole = Math.max(0, Math.floor(microseconds));
  if (whole < STEPS) return whole;
  const octave = 31 - Math.clz32(whole) - STEPS_BITS;
  return (octave << STEPS_BITS) + (whole >> octave);
}

/** Microseconds: no latency of the bucket is longer. */
function upperBound(bucket: number): number {
  if (bucket < STEPS) return bucket + 1;
  const octave = (bucket >> STEPS_BITS) - 1;
  return ((bucket & (STEPS - 1)) + STEPS + 1) * 2 ** octave;
}
