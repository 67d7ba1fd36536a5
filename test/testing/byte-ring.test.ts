// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { ByteRing } from '../../src/testing/byte-ring.js';
import { Random } from '../../src/testing/random.js';

t.test('bytes are unchanged, whatever the sizes', async (t) => {
  const random = new Random(1);
  const ring = new ByteRing(1000);
  let written = 0;
  let read = 0;
  while (read < 50_000) {
    const bytes = Uint8Array.from({ length: random.integer(0, 700) }, (_, index) => (written + index) % 251);
    written += ring.append(bytes);
    const target = new Uint8Array(random.integer(0, 700));
    const count = ring.copy(read, target);
    for (let index = 0; index < count; index++) {
      if (target[index] !== (read + index) % 251) throw new Error(`wrong byte at ${read + index}`);
    }
    read += count;
    ring.discard(read);
    if (ring.length !== written - read || ring.room !== 1000 - ring.length) throw new Error('lost count');
  }
  t.equal(ring.start, read);
});

t.test('it accepts requests up to its limit, and no more', async (t) => {
  const ring = new ByteRing(5);
  t.equal(ring.append(Buffer.from('abc')), 3);
  t.equal(ring.append(Buffer.from('defg')), 2);
  t.equal(ring.append(Buffer.from('x')), 0);
  t.equal(ring.room, 0);
});

t.test('positions count from the first byte of the stream, forgotten ones included', async (t) => {
  const ring = new ByteRing(5);
  ring.append(Buffer.from('abcde'));
  ring.discard(3);
  ring.discard(1);
  t.equal(ring.start, 3);
  ring.append(Buffer.from('fgh'));
  t.equal(ring.end, 8);
  const target = Buffer.alloc(3);
  t.equal(ring.copy(4, target), 3);
  t.equal(target.toString(), 'efg');
  ring.discard(100);
  t.equal(ring.length, 0);
  t.equal(ring.copy(8, target), 0);
});
