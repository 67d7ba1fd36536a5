// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Test } from 'tap';
import type { Random } from '../src/testing/index.js';

/** A seed of this run, which is printed; TEST_SEED in the environment repeats one. */
export function randomSeed(t: Test): number {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`TEST_SEED=${seed}`);
  return seed;
}

export function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = random.word();
  return bytes;
}
