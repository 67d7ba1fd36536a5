// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type MemoryShare, RequestMemory } from '../../src/nbd/request-memory.js';

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
