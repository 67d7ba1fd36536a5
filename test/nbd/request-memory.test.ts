// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type MemoryShare, MIN_REQUEST_MEMORY_BYTES, RequestMemory } from '../../src/nbd/request-memory.js';

const MIB = 1 << 20;

/** Takes as much as it gets, so many MiB at a time, and then waits. @returns how much that is, in MiB */
function takeAll(share: MemoryShare, mib: number): number {
  for (let isWaiting = false; !isWaiting;) {
    isWaiting = true;
    share.take(mib * MIB, () => (isWaiting = false));
  }
  return share.usedBytes / MIB;
}

t.test(
  'connections that keep all that they can have leave something for those that come later',
  async (t) => {
    const memory = new RequestMemory(256 * MIB);
    const shares = Array.from({ length: 39 }, () => takeAll(memory.share(), 1));
    t.ok(memory.usedBytes <= 256 * MIB);
    t.strictSame(shares.slice(0, 7), Array(7).fill(32));
    t.strictSame(shares.slice(7), Array(32).fill(1));
  },
);

t.test('the least that a server has is enough for two of the longest requests', async (t) => {
  t.equal(MIN_REQUEST_MEMORY_BYTES, 64 * MIB);
});

t.test('a connection gets more memory only up to an equal share', async (t) => {
  const memory = new RequestMemory(256 * MIB);
  const shares = Array.from({ length: 64 }, () => memory.share());
  for (const share of shares) share.take(MIB, () => {});
  t.equal(takeAll(shares[0]!, 1), 4);
  shares[1]!.give(MIB);
  t.equal(shares[0]!.usedBytes, 4 * MIB, 'and waits, even if there is room');
  shares[0]!.give(2 * MIB);
  t.equal(shares[0]!.usedBytes, 3 * MIB);
});

t.test('a connection that gives back a part of its memory still counts when memory is divided', async (t) => {
  const memory = new RequestMemory(256 * MIB);
  const shares = Array.from({ length: 16 }, () => memory.share());
  for (const share of shares) share.take(2 * MIB, () => {});
  for (const share of shares) share.give(MIB);
  t.equal(takeAll(shares[0]!, 1), 16);
});

t.test('requests of any size have their turns, in order of arrival', async (t) => {
  const memory = new RequestMemory(64 * MIB);
  const order: string[] = [];
  const take = (share: MemoryShare, mib: number, name: string): void =>
    share.take(mib * MIB, () => order.push(name));
  const [first, second, third, small] = [memory.share(), memory.share(), memory.share(), memory.share()];
  take(first, 32, 'first');
  take(second, 32, 'second');
  take(third, 2, 'third');
  take(small, 1, 'small');
  t.ok(memory.isShort);
  t.strictSame(order.splice(0), ['first', 'small'], 'but for small ones');
  take(small, 1, 'small again');
  t.strictSame(order.splice(0), []);
  first.give(32 * MIB);
  t.strictSame(order.splice(0), ['second', 'third', 'small again']);
  t.equal(second.requestedBytes, 0, 'what was waited for is there');
  take(first, 32, 'first again');
  first.leave();
  second.give(32 * MIB);
  third.give(2 * MIB);
  small.give(2 * MIB);
  t.strictSame(order, []);
  t.equal(memory.usedBytes, 0);
  t.notOk(memory.isShort);
});

t.test('a client that holds no memory does not count when memory is divided', async (t) => {
  const memory = new RequestMemory(256 * MIB);
  const shares = Array.from({ length: 64 }, () => memory.share());
  for (const share of shares) share.take(MIB, () => {});
  for (const share of shares) share.give(MIB);
  t.equal(memory.usedBytes, 0);
  const shareAlone = memory.share();
  t.equal(takeAll(shareAlone, 1), 32, 'an eighth, as if the others had never been');
});

/** Whether a connection without any gets so many bytes when so many are in use. */
function isGranted(usedBytes: number, bytes: number): boolean {
  const memory = new RequestMemory(64 * MIB);
  memory.share().take(usedBytes, () => {});
  let isTaken = false;
  memory.share().take(bytes, () => (isTaken = true));
  if (memory.isShort === isTaken) throw new Error('it waits exactly if it has not got it');
  if (memory.usedBytes !== usedBytes + (isTaken ? bytes : 0)) throw new Error('a wrong sum');
  return isTaken;
}

t.test('a request of up to a MiB may use the last byte, a larger one leaves an eighth', async (t) => {
  t.equal(isGranted(63 * MIB, MIB), true);
  t.equal(isGranted(63 * MIB + 1, MIB), false);
  t.equal(isGranted(63 * MIB + 1, MIB - 1), true);
  t.equal(isGranted(32 * MIB, 24 * MIB), true);
  t.equal(isGranted(32 * MIB, 24 * MIB + 1), false);
  t.equal(isGranted(55 * MIB, MIB + 1), false, 'it is not small');
});

t.test('a small request passes a large one for which there is no room', async (t) => {
  const memory = new RequestMemory(64 * MIB);
  const [first, large, small] = [memory.share(), memory.share(), memory.share()];
  const granted: string[] = [];
  first.take(64 * MIB, () => {});
  large.take(20 * MIB, () => granted.push('large'));
  small.take(MIB, () => granted.push('small'));
  first.give(2 * MIB);
  t.same(granted, ['small']);
  first.give(62 * MIB);
  t.same(granted, ['small', 'large']);
});

t.test('a connection that has some gets more up to an eighth, to the byte', async (t) => {
  const memory = new RequestMemory(64 * MIB);
  const other = memory.share();
  other.take(1, () => {});
  const share = memory.share();
  for (const bytes of [4 * MIB, 4 * MIB]) share.take(bytes, () => {});
  t.equal(share.usedBytes, 8 * MIB);
  share.take(1, () => t.fail('that is more than its share'));
  t.equal(share.requestedBytes, 1);
  share.leave();
  t.equal(share.requestedBytes, 0);
  other.give(1);
  share.give(8 * MIB);
  t.equal(memory.usedBytes, 0);
});

t.test('a share that has some memory does not overtake one that waits with none', async (t) => {
  const memory = new RequestMemory(64 * MIB);
  const [first, second, large] = [memory.share(), memory.share(), memory.share()];
  first.take(40 * MIB, () => {});
  second.take(MIB, () => {});
  const got: string[] = [];
  large.take(24 * MIB, () => got.push('large'));
  second.take(MIB, () => got.push('second'));
  t.same(got, []);
  first.give(MIB);
  t.same(got, [], 'though there is room for it');
  first.give(9 * MIB);
  t.same(got, ['large', 'second']);
});

t.test('a share that waits for more than its part does not hold up one that has nothing', async (t) => {
  const memory = new RequestMemory(64 * MIB);
  const [first, greedy, large] = [memory.share(), memory.share(), memory.share()];
  first.take(40 * MIB, () => {});
  greedy.take(8 * MIB, () => {});
  const got: string[] = [];
  greedy.take(MIB, () => got.push('greedy'));
  large.take(24 * MIB, () => got.push('large'));
  t.same(got, []);
  first.give(40 * MIB);
  t.same(got, ['large']);
  greedy.give(8 * MIB);
  t.same(got, ['large', 'greedy']);
});
