// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SEND_SLAB_BYTES, SendSlab } from '../../../src/posix/node/send-slab.js';

t.test('a copy replaces the previous one, unless that is kept', async (t) => {
  const slab = new SendSlab();
  const first = slab.copy(Buffer.alloc(100, 1));
  const second = slab.copy(Buffer.alloc(100, 2));
  t.equal(second.byteOffset, first.byteOffset);
  t.ok(second.equals(Buffer.alloc(100, 2)));
  slab.keep();
  const third = slab.copy(Buffer.alloc(100, 3));
  t.equal(third.byteOffset - second.byteOffset, 104, 'behind it, at a whole word');
  t.equal(third.buffer, second.buffer);
  t.ok(second.equals(Buffer.alloc(100, 2)));
  t.equal(slab.copy(Buffer.alloc(50, 4)).length, 50);
});

t.test('when the block is full another one is used', async (t) => {
  const slab = new SendSlab();
  const half = slab.copy(Buffer.alloc(SEND_SLAB_BYTES / 2, 1));
  slab.keep();
  const fitting = slab.copy(Buffer.alloc(SEND_SLAB_BYTES / 2, 2));
  t.equal(fitting.buffer, half.buffer);
  slab.keep();
  const next = slab.copy(Buffer.from([3]));
  t.not(next.buffer, half.buffer);
  t.ok(
    half.equals(Buffer.alloc(SEND_SLAB_BYTES / 2, 1)) && fitting.equals(Buffer.alloc(SEND_SLAB_BYTES / 2, 2)),
  );
});
