// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';

/** A whole number from 0 to below `bound`. */
export type RandomSource = (bound: number) => number;

/** A seed of this run, which is printed; TEST_SEED repeats one. */
export function randomSeed(t: Test): number {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`TEST_SEED=${seed}`);
  return seed;
}

/** The numbers of a seed (mulberry32). */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

export function randomBytes(random: RandomSource, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = random(256);
  return bytes;
}
