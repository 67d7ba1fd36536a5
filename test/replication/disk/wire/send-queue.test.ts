// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SpareBuffers } from '../../../../src/posix/spare-buffers.js';
import { SendQueue } from '../../../../src/replication/disk/wire/send-queue.js';
import { Random } from '../../../../src/testing/index.js';
import { randomBytes, randomSeed } from '../../../random.js';

/** A pool that writes over what it is given back, so that nobody can use it any more unnoticed. */
function strictPool(): SpareBuffers & { taken: number } {
  const pool = Object.assign(new SpareBuffers(), { taken: 0 });
  const [take, give] = [pool.take.bind(pool), pool.give.bind(pool)];
  pool.take = (length) => {
    pool.taken += 1;
    return take(length);
  };
  pool.give = (buffer) => {
    pool.taken -= 1;
    give(buffer.fill(0xee));
  };
  return pool;
}

t.test('small pieces go together, and what was added may change at once', async (t) => {
  const queue = new SendQueue(strictPool());
  const bytes = Buffer.from('abc');
  queue.add(bytes);
  bytes.fill(0);
  queue.add(Buffer.from('def'));
  t.equal(queue.bytes, 6);
  t.same(
    queue.next().map((part) => Buffer.from(part).toString()),
    ['abcdef'],
  );
  queue.took(3);
  t.equal(Buffer.concat(queue.next()).toString(), 'def');
  t.equal(queue.bytes, 3);
  queue.took(3)();
  t.same([queue.next(), queue.isReady, queue.bytes], [[], false, 0]);
});

t.test('a gate keeps back what comes after it', async (t) => {
  const queue = new SendQueue(strictPool());
  queue.add(Buffer.from('a'));
  const open = queue.gate();
  queue.add(Buffer.from('b'));
  t.equal(Buffer.concat(queue.next()).toString(), 'a');
  queue.took(1);
  t.notOk(queue.isReady);
  t.same(queue.next(), []);
  open();
  t.ok(queue.isReady);
  t.equal(Buffer.concat(queue.next()).toString(), 'b');
});

t.test('what is with the system is not overwritten before it was copied there', async (t) => {
  const random = new Random(randomSeed(t));
  const pool = strictPool();
  const queue = new SendQueue(pool);
  const expected: Buffer[] = [];
  const sent: Buffer[] = [];
  const underWay: { readonly parts: readonly Uint8Array[]; readonly release: () => void }[] = [];
  const endFirst = (): void => {
    const first = underWay.shift();
    if (first === undefined) return;
    sent.push(Buffer.concat(first.parts));
    first.release();
  };
  for (let step = 0; step < 400; step++) {
    const choice = random.word() % 4;
    if (choice < 2) {
      // Of any alignment, and longer than a block at times.
      const length = random.word() % (random.word() % 20 === 0 ? 600_000 : 30_000);
      const bytes = randomBytes(random, length + 8)
        .subarray(random.word() % 8)
        .subarray(0, length);
      queue.add(bytes);
      expected.push(Buffer.from(bytes));
    } else if (choice === 2 && queue.isReady) {
      const parts = queue.next();
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      underWay.push({ parts, release: queue.took(length) });
    } else endFirst();
  }
  while (queue.isReady) {
    const parts = queue.next();
    underWay.push({ parts, release: queue.took(parts.reduce((sum, part) => sum + part.length, 0)) });
  }
  while (underWay.length > 0) endFirst();
  t.ok(Buffer.concat(sent).equals(Buffer.concat(expected)));
  t.equal(queue.bytes, 0);
  t.equal(pool.taken, 1, 'the last block is kept for what comes');
});

t.test('what is cleared is not sent', async (t) => {
  const queue = new SendQueue(strictPool());
  queue.add(Buffer.from('lost'));
  const parts = queue.next();
  const release = queue.took(2);
  queue.clear();
  release();
  t.same([queue.next(), queue.bytes, queue.isReady], [[], 0, false]);
  queue.add(Buffer.from('new'));
  t.equal(Buffer.concat(queue.next()).toString(), 'new');
  t.equal(Buffer.concat(parts).toString(), 'lost');
});

/** Where the parts that are next begin in their blocks, and how long they are. */
const layout = (queue: SendQueue): [at: number, length: number][] =>
  queue.next().map(({ byteOffset, length }) => [byteOffset, length]);

t.test('bytes lie as they did to whole words, unless there are fewer than eight', async (t) => {
  const queue = new SendQueue(strictPool());
  const memory = Buffer.allocUnsafeSlow(64);
  queue.add(memory.subarray(0, 3));
  t.same(layout(queue), [[0, 3]]);
  queue.add(memory.subarray(1, 8));
  t.same(layout(queue), [[0, 10]], 'seven go on where the others end');
  queue.add(memory.subarray(0, 8));
  t.same(
    layout(queue),
    [
      [0, 10],
      [16, 8],
    ],
    'eight do not',
  );
  queue.add(memory.subarray(8, 32));
  t.same(layout(queue).at(-1), [16, 32], 'those that fit go on');
  queue.add(memory.subarray(5, 21));
  t.same(layout(queue).at(-1), [53, 16]);
  queue.add(memory.subarray(5, 21));
  t.same(layout(queue).at(-1), [53, 32], 'in any place');
});

t.test('a block is filled to its end, and then another one is begun', async (t) => {
  const block = 256 << 10;
  const pool = strictPool();
  const queue = new SendQueue(pool);
  queue.add(Buffer.allocUnsafeSlow(block - 4));
  queue.add(Buffer.allocUnsafeSlow(16));
  t.same(
    layout(queue),
    [
      [0, block - 4],
      [0, 16],
    ],
    'there is no whole word left',
  );
  t.equal(pool.taken, 2);
  queue.took(block + 12)();
  t.equal(pool.taken, 1);
  queue.add(Buffer.allocUnsafeSlow(block + 100));
  t.same(layout(queue), [[0, block]], 'a block is as much as goes at once');
  queue.took(block)();
  t.same(layout(queue), [[0, 100]]);
});

t.test('a block that is empty again is used from its start', async (t) => {
  const queue = new SendQueue(strictPool());
  for (let round = 0; round < 3; round++) {
    queue.add(Buffer.allocUnsafeSlow(1000));
    t.same(layout(queue), [[0, 1000]]);
    queue.took(1000)();
  }
  queue.add(Buffer.allocUnsafeSlow(1000));
  const release = queue.took(1000);
  queue.add(Buffer.allocUnsafeSlow(1000));
  t.same(layout(queue), [[1000, 1000]], 'but not before what was sent of it is copied');
  release();
  queue.took(1000)();
  queue.add(Buffer.allocUnsafeSlow(8));
  t.same(layout(queue), [[0, 8]]);
});

t.test('what was sent of a part is not sent again, and what is after a gate is another part', async (t) => {
  const queue = new SendQueue(strictPool());
  queue.add(Buffer.from('abc'));
  queue.gate()();
  queue.add(Buffer.from('defg'));
  t.equal(Buffer.concat(queue.next()).toString(), 'abc');
  queue.took(3)();
  t.equal(Buffer.concat(queue.next()).toString(), 'defg');
  queue.took(2)();
  t.equal(Buffer.concat(queue.next()).toString(), 'fg');
  t.equal(queue.bytes, 2);
});
