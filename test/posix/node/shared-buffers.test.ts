// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SharedBuffers } from '../../../src/posix/node/shared-buffers.js';
import { Random } from '../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../random.js';

const SHARED_BYTES = 64 << 20;

void t.test('a released buffer is reused', (t) => {
  using buffers = new SharedBuffers();
  const first = buffers.take(8192);
  t.equal(first.buffer, buffers.shared);
  buffers.give(first);
  t.equal(buffers.take(8192), first);
  t.not(buffers.take(8192).byteOffset, first.byteOffset, 'it is in use');
  t.end();
});

void t.test('buffers in use never overlap, in whatever order they come and go', (t) => {
  using buffers = new SharedBuffers();
  const random = new Random(randomSeed(t));
  const taken: Buffer[] = [];
  const overlaps = (a: Buffer, b: Buffer): boolean =>
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.length && b.byteOffset < a.byteOffset + a.length;
  for (let step = 0; step < 4000; step++) {
    if (random.word() % 5 < 3) {
      const length = 1 + (random.word() % (1 << (1 + (random.word() % 23))));
      const buffer = buffers.take(length);
      if (buffer.length !== length || taken.some((other) => overlaps(buffer, other))) {
        t.fail(`step ${step}: ${buffer.length} bytes at ${buffer.byteOffset}`);
      }
      taken.push(buffer);
    } else if (taken.length > 0) {
      const [buffer] = taken.splice(random.word() % taken.length, 1);
      if (buffer) buffers.give(buffer);
    }
    // Without a bound all of it would be in use at last.
    while (taken.length > 40) buffers.give(taken.shift() as Buffer);
  }
  for (const buffer of taken) buffers.give(buffer);
  t.equal(buffers.take(SHARED_BYTES).buffer, buffers.shared, 'all is one piece again');
  t.end();
});

void t.test('beyond the size of the shared memory buffers are ordinary memory', (t) => {
  using buffers = new SharedBuffers();
  const whole = buffers.take(SHARED_BYTES);
  const beyond = buffers.take(4096);
  t.not(beyond.buffer, buffers.shared);
  t.equal(beyond.length, 4096);
  buffers.give(beyond);
  buffers.give(whole);
  t.equal(buffers.take(4096).buffer, buffers.shared);
  t.end();
});

void t.test('copies equal those of TypedArray, wherever the bytes are and however aligned', (t) => {
  const random = new Random(randomSeed(t));
  // The second is of a size that WebAssembly has no part in.
  for (const bytes of [SHARED_BYTES, 1 << 20]) {
    using buffers = new SharedBuffers(undefined, bytes);
    const places = [buffers.take(1000), buffers.take(1000), Buffer.alloc(1000), Buffer.alloc(1000)];
    for (let round = 0; round < 300; round++) {
      const target = places[random.word() % 4] as Buffer;
      const others = places.filter((place) => place !== target);
      const source = others[random.word() % 3] as Buffer;
      source.set(randomBytes(random, 1000));
      target.set(randomBytes(random, 1000));
      const [from, at, length] = [random.word() % 400, random.word() % 400, random.word() % 600];
      const expected = Buffer.from(target);
      expected.set(source.subarray(from, from + length), at);
      buffers.copy(target, source.subarray(from, from + length), at);
      if (!target.equals(expected)) t.fail(`${length} bytes from ${from} to ${at}`);
    }
  }
  t.end();
});

void t.test('unused memory is released after a while, and allocated again on demand', (t) => {
  const due: (() => void)[] = [];
  const pass = (): void => due.splice(0).forEach((callback) => callback());
  const setTimeout = (callback: () => void) => {
    due.push(callback);
    return { ref: () => {}, unref: () => {} };
  };
  const buffers = new SharedBuffers({ now: () => 0, setTimeout, clearTimeout: () => {} });
  const buffer = buffers.take(100);
  const first = buffers.shared;
  pass();
  pass();
  t.equal(buffers.shared, first, 'one buffer is taken');
  buffers.give(buffer);
  pass();
  t.equal(buffers.shared, undefined);
  t.strictSame(due, [], 'there is no timer without memory');
  t.ok(buffers.take(100));
  t.not(buffers.shared, first);
  t.end();
});

void t.test("the memory is WebAssembly's where its size allows, whose copies are quick", (t) => {
  using buffers = new SharedBuffers();
  buffers.take(1);
  t.ok(Object.isFrozen(buffers.shared), 'nobody can grow it or take it away');
  using small = new SharedBuffers(undefined, 1 << 20);
  small.take(1);
  t.notOk(Object.isFrozen(small.shared));
  t.end();
});

void t.test('only the two halves of one block are put together again', (t) => {
  using buffers = new SharedBuffers(undefined, 16 << 10);
  const quarters = [4096, 4096, 4096, 4096].map((length) => buffers.take(length));
  quarters.sort((a, b) => a.byteOffset - b.byteOffset);
  const [first, second, third, fourth] = quarters as [Buffer, Buffer, Buffer, Buffer];
  buffers.give(second);
  buffers.give(third);
  t.not(buffers.take(8192).buffer, buffers.shared, 'they are halves of different blocks');
  buffers.give(first);
  const half = buffers.take(8192);
  t.same([half.buffer, half.byteOffset], [buffers.shared, 0]);
  for (const taken of [half, fourth]) buffers.give(taken);
  t.equal(buffers.take(16 << 10).buffer, buffers.shared);
  t.end();
});

void t.test('halves are put together also where no smaller block was ever taken', (t) => {
  using buffers = new SharedBuffers(undefined, 64 << 10);
  const halves = [buffers.take(32 << 10), buffers.take(32 << 10)];
  for (const half of halves) buffers.give(half);
  t.equal(buffers.take(64 << 10).buffer, buffers.shared);
  t.end();
});

void t.test('a block that was only used in part is given back as a whole', (t) => {
  using buffers = new SharedBuffers(undefined, 8192);
  buffers.give(buffers.take(5000));
  const whole = buffers.take(8192);
  t.same([whole.buffer, whole.length], [buffers.shared, 8192]);
  t.end();
});

void t.test(
  'where there can be no shared memory, that is found out once, and buffers are ordinary memory',
  (t) => {
    const { SharedArrayBuffer: original } = globalThis;
    t.teardown(() => (globalThis.SharedArrayBuffer = original));
    let attempts = 0;
    globalThis.SharedArrayBuffer = function () {
      attempts++;
      throw new RangeError('no room');
    } as unknown as SharedArrayBufferConstructor;
    using buffers = new SharedBuffers(undefined, 8192);
    t.equal(buffers.fault, undefined);
    for (const length of [100, 5000]) {
      const buffer = buffers.take(length);
      t.equal(buffer.length, length);
      buffers.give(buffer);
    }
    t.same([buffers.shared, buffers.fault, attempts], [undefined, 'no room', 1]);
    t.end();
  },
);

void t.test('blocks are powers of two from 4096 bytes up', (t) => {
  using buffers = new SharedBuffers(undefined, 64 << 10);
  /** Whether all of these are in the shared memory at once, and fill it. */
  const fill = (...lengths: number[]): boolean => {
    const taken = lengths.map((length) => buffers.take(length));
    const beyond = buffers.take(1);
    for (const buffer of taken) buffers.give(buffer);
    return taken.every(({ buffer }) => buffer === buffers.shared) && beyond.buffer !== buffers.shared;
  };
  t.ok(fill(...Array.from({ length: 16 }, (_, index) => index)));
  t.ok(fill(4097, 8192, 5000, 8191, 8192, 8192, 8192, 8192));
  t.ok(fill(32_768, 16_385));
  t.ok(fill(32_768, 16_384, 8192, 4096, 4095));
  t.ok(fill(65_536));
  t.ok(fill(32_769));
  t.end();
});
