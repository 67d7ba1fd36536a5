// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { type BlockDevice, type Done, ESHUTDOWN } from '../../src/disks/index.js';
import { cacheRange } from '../../src/nbd/cache-range.js';
import { errno } from '../../src/posix/index.js';
import { CountedPool } from '../posix/counted-pool.js';

/** A range that is cached, of a disk whose reads the test ends. */
function cached(sector: number, sectors: number) {
  const lengths: number[] = [];
  class SizedPool extends CountedPool {
    override take(length: number): Buffer {
      lengths.push(length);
      return super.take(length);
    }
  }
  const pool = new SizedPool();
  const reads: string[] = [];
  const ends: Done[] = [];
  const later: (() => void)[] = [];
  const results: number[] = [];
  const device = {
    queueRead(at: number, buffer: Uint8Array, done: Done): void {
      reads.push(`${at}+${buffer.length / 512}`);
      ends.push(done);
    },
  } as BlockDevice;
  const world = {
    isNeeded: true,
    pool,
    lengths,
    reads,
    later,
    results,
    end: (result = 0): void => ends.shift()?.(result),
  };
  const parts = {
    device,
    pool,
    post: (task: () => void): void => void later.push(task),
    isNeeded: () => world.isNeeded,
  };
  cacheRange(parts, { sector, sectors }, (result) => results.push(result));
  return world;
}

t.test('a range is read in pieces of 256 KiB, one after the other, into one buffer', async (t) => {
  const { lengths, pool, reads, results, end } = cached(100, 1300);
  for (const expected of ['100+512', '612+512', '1124+276']) {
    t.equal(reads.at(-1), expected);
    t.same(results, []);
    end();
  }
  t.same([reads.length, results], [3, [0]]);
  t.same(lengths, [256 << 10]);
  t.equal(pool.taken.size, 0);
  t.same(cached(0, 8).lengths, [4096], 'a short one needs no more than its length');
});

t.test('the first error ends it, and the buffer is given back', async (t) => {
  const { pool, reads, results, end } = cached(0, 1300);
  end();
  end(-errno.EIO);
  t.same([reads.length, results], [2, [-errno.EIO]]);
  t.equal(pool.taken.size, 0);
});

t.test('nothing more is read once it is not needed', async (t) => {
  const world = cached(0, 1300);
  world.isNeeded = false;
  world.end();
  t.same([world.reads.length, world.results], [1, [-ESHUTDOWN]]);
  t.equal(world.pool.taken.size, 0);
});
