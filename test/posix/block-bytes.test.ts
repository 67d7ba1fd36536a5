// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { blockBytes, SMALLEST_BLOCK_BYTES } from '../../src/posix/block-bytes.js';

t.test('a block is the next power of two, from the smallest up, also beyond 31 bits', async (t) => {
  for (const length of [0, 1, SMALLEST_BLOCK_BYTES - 1, SMALLEST_BLOCK_BYTES])
    t.equal(blockBytes(length), SMALLEST_BLOCK_BYTES);
  t.equal(blockBytes(SMALLEST_BLOCK_BYTES + 1), 2 * SMALLEST_BLOCK_BYTES);
  for (const exponent of [20, 30, 31]) {
    t.equal(blockBytes(2 ** exponent - 1), 2 ** exponent);
    t.equal(blockBytes(2 ** exponent), 2 ** exponent);
    t.equal(blockBytes(2 ** exponent + 1), 2 ** (exponent + 1));
  }
});
