// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../../src/testing/random.js';
import { randomBytes } from '../random.js';

/** Bytes with up to so many changes: the rest missing, some taken out, put in, said twice, or others than they were. */
export function mutated(random: Random, bytes: Buffer, changes = 3): Buffer {
  let result = bytes;
  for (let count = random.integer(0, changes); count > 0; count--) {
    const at = random.integer(0, result.length);
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    const kind = random.integer(0, 4);
    if (kind === 0) result = before;
    else if (kind === 1) result = Buffer.concat([before, after.subarray(random.integer(0, 8))]);
    else if (kind === 2) result = Buffer.concat([before, randomBytes(random, random.integer(1, 8)), after]);
    else if (kind === 3) result = Buffer.concat([before, after.subarray(0, random.integer(0, 64)), after]);
    else result = Buffer.concat([before, randomBytes(random, 1), after.subarray(1)]);
  }
  return result;
}
