// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The ramdisk where it is safer than the C, and over a disk. What it does call by call is what the vectors are about.

import t from 'tap';
import { errno } from '../../src/posix/index.js';
import {
  type Ramdisk,
  ramdisk,
  ramdiskCacheWriteRequest,
  ramdiskClearCache,
  ramdiskDestroy,
  ramdiskFlushPendedRequests,
  ramdiskInit,
  ramdiskOverlay,
  ramdiskRead,
  ramdiskReadFromCache,
  ramdiskStartFlush,
  ramdiskWritesInflight,
} from '../../src/replication/index.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';

interface IssuedWrite {
  readonly sector: bigint;
  readonly data: readonly number[];
  readonly done: (error: number) => void;
}

/** A ramdisk of sectors of two bytes over a disk that ends its writes when it is told to. */
function overDisk(given: Partial<Ramdisk> = {}) {
  const writes: IssuedWrite[] = [];
  const failures: number[] = [];
  const log: string[] = [];
  const disk = ramdisk({
    logger: { log: (_priority, line) => void log.push(line.trimEnd()) },
    logPrefix: 'test',
    sectorSize: 2,
    image: {
      queueWrite: (sector, data, done) => void writes.push({ sector, data: [...data], done }),
    },
    failed: (_disk, errnoval) => void failures.push(errnoval),
    ...given,
  });
  const initial = ramdiskInit(disk);
  const put = (sector: bigint, ...bytes: number[]): number =>
    ramdiskCacheWriteRequest(disk, 'primary', sector, bytes.length / 2, Uint8Array.from(bytes));
  return { disk, writes, failures, log, put, initial };
}

t.test('data is copied in and out: neither buffer is needed afterwards', async (t) => {
  const { disk, writes } = overDisk();
  const data = Uint8Array.of(1, 2, 3, 4);
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 5n, 2, data), 0);
  data.fill(9);
  const cached = new Uint8Array(4);
  t.equal(ramdiskReadFromCache(disk, 'primary', 5n, 2, cached), 0);
  t.same([...cached], [1, 2, 3, 4]);
  cached.fill(9);
  ramdiskStartFlush(disk, 'primary');
  t.match(writes, [{ sector: 5n, data: [1, 2, 3, 4] }]);
  const inFlight = new Uint8Array(2);
  t.equal(ramdiskRead(disk, 6n, 1, inFlight), 0);
  t.same([...inFlight], [3, 4]);
});

t.test('impossible calls return -1 and change nothing', async (t) => {
  const { disk } = overDisk();
  const sector = new Uint8Array(2);
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 0n, 2, sector), -1, 'data is too short');
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', -1n, 1, sector), -1, 'a negative sector');
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 2n ** 64n, 1, sector), -1, 'more than 64 bits');
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 0n, -1, sector), -1, 'a negative count');
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 0n, 0.5, sector), -1, 'half a sector');
  t.equal(disk.primaryCache?.size, 0);
  t.equal(ramdiskCacheWriteRequest(disk, 'primary', 2n ** 64n - 1n, 1, sector), 0, 'the last sector');
  t.equal(ramdiskReadFromCache(disk, 'primary', 2n ** 64n - 1n, 1, new Uint8Array(1)), -1, 'no room');
  for (const count of [-1, 0.5]) t.equal(ramdiskRead(disk, 0n, count, sector), -1, `${count} sectors`);
  for (const sectorSize of [0, -1, 1.5]) t.equal(overDisk({ sectorSize }).initial, -1, `size ${sectorSize}`);
});

t.test(
  'a failed write makes the disk inconsistent: it is reported once, and nothing more is written',
  async (t) => {
    const { disk, writes, failures, log, put } = overDisk();
    put(1n, 1, 1);
    put(5n, 5, 5);
    put(9n, 9, 9);
    t.equal(ramdiskStartFlush(disk, 'primary'), 0);
    put(9n, 8, 8);
    t.equal(ramdiskStartFlush(disk, 'primary'), 0, 'it waits for the write in flight');
    t.equal(ramdiskInit(disk), -1, 'writes are in flight');
    writes[0]?.done(-errno.ENOSPC);
    t.same(failures, [errno.ENOSPC]);
    t.equal(disk.error, errno.ENOSPC);
    t.match(log.at(-1), 'test: a write of a checkpoint failed: No space left on device');
    writes[1]?.done(errno.EIO);
    writes[2]?.done(0);
    t.same(failures, [errno.ENOSPC]);
    put(20n, 2, 0);
    t.equal(ramdiskStartFlush(disk, 'primary'), -1);
    t.equal(disk.primaryCache?.size, 1, 'the cache stays');
    t.equal(ramdiskFlushPendedRequests(disk), -1);
    t.equal(writes.length, 3);
    t.equal(ramdiskWritesInflight(disk), 0);
    ramdiskDestroy(disk);
    t.equal(disk.primaryCache, undefined);
  },
);

t.test('after a destroy the caches neither keep nor return buffers', async (t) => {
  const { disk, put } = overDisk();
  ramdiskDestroy(disk);
  t.equal(put(1n, 1, 1), -1);
  t.equal(ramdiskReadFromCache(disk, 'primary', 1n, 1, new Uint8Array(2)), -1);
  t.equal(ramdiskRead(disk, 1n, 1, new Uint8Array(2)), -1);
  t.equal(ramdiskStartFlush(disk, 'primary'), -1);
  t.equal(ramdiskClearCache(disk, 'primary'), -1);
});

t.test('writes that complete before they are issued are counted correctly', async (t) => {
  const seen: [bigint, number][] = [];
  const { disk, put } = overDisk({
    image: {
      queueWrite(sector, _data, done) {
        seen.push([sector, disk.inflight]);
        // One is made pending while the flush issues its writes, as a commit in a callback would.
        if (seen.length === 1) {
          put(3n, 3, 3);
          t.equal(ramdiskStartFlush(disk, 'primary'), 0);
        }
        done(0);
      },
    },
  });
  put(1n, 1, 1);
  put(5n, 5, 5);
  t.equal(ramdiskStartFlush(disk, 'primary'), 0);
  t.same(seen, [
    [1n, 1],
    [5n, 1],
    [3n, 1],
  ]);
  t.equal(ramdiskWritesInflight(disk), 0);
});

t.test('a write that fails before it is issued ends the flush', async (t) => {
  const { disk, put } = overDisk({ image: { queueWrite: (_sector, _data, done) => done(errno.EIO) } });
  put(1n, 1, 1);
  put(5n, 5, 5);
  t.equal(ramdiskStartFlush(disk, 'primary'), -1);
  t.equal(ramdiskWritesInflight(disk), 0);
});

t.test(
  'an overlay has what pends over what is in flight over the disk, as of when it was taken',
  async (t) => {
    const { disk, put, writes } = overDisk();
    put(1n, 1, 1, 2, 2, 3, 3);
    const none = ramdiskOverlay(disk, 0n, 5);
    ramdiskStartFlush(disk, 'primary');
    put(3n, 4, 4);
    ramdiskStartFlush(disk, 'primary');
    const overlay = ramdiskOverlay(disk, 0n, 5);
    writes[0]?.done(0);
    for (const [lay, expected] of [
      [overlay, [9, 9, 1, 1, 2, 2, 4, 4, 9, 9]],
      [none, [9, 9, 9, 9, 9, 9, 9, 9, 9, 9]],
    ] as const) {
      const buffer = new Uint8Array(10).fill(9);
      lay(buffer);
      t.same([...buffer], expected);
    }
  },
);

/** Commits checkpoints of random sectors while writes end in random order, and returns what the disk has at the end. */
function randomCheckpoints(random: Random, deadGuard: boolean): { disk: number[]; expected: number[] } {
  const [sectors, commits] = [8, 20];
  const onDisk: number[] = Array.from({ length: sectors }, () => 0);
  const expected = [...onDisk];
  const inFlight: IssuedWrite[] = [];
  const { disk, put } = overDisk({
    deadGuard,
    image: { queueWrite: (sector, data, done) => void inFlight.push({ sector, data: [...data], done }) },
  });
  const endOne = (): void => {
    const [write] = inFlight.splice(random.integer(0, inFlight.length - 1), 1);
    if (write === undefined) return;
    for (let at = 0; at < write.data.length / 2; at++) {
      onDisk[Number(write.sector) + at] = write.data[2 * at] as number;
    }
    write.done(0);
  };
  for (let commit = 1; commit <= commits; commit++) {
    const first = random.integer(0, sectors - 1);
    const count = random.integer(1, sectors - first);
    put(BigInt(first), ...Array.from({ length: 2 * count }, () => commit));
    expected.fill(commit, first, first + count);
    ramdiskStartFlush(disk, 'primary');
    while (random.chance(0.4)) endOne();
  }
  while (ramdiskWritesInflight(disk)) endOne();
  return { disk: onDisk, expected };
}

t.test('in whatever order writes end, the disk ends with the last checkpoint', async (t) => {
  const random = new Random(randomSeed(t));
  for (let round = 0; round < 200; round++) {
    const { disk, expected } = randomCheckpoints(random, false);
    if (disk.some((data, sector) => data !== expected[sector])) t.same(disk, expected);
  }
});

t.test('without the guard, as in C, the disk may end with older data', async (t) => {
  const random = new Random(7);
  const outcomes = Array.from({ length: 50 }, () => randomCheckpoints(random, true));
  t.ok(outcomes.some(({ disk, expected }) => disk.some((data, sector) => data !== expected[sector])));
});

t.test('an init makes everything anew, unless a write is in flight', async (t) => {
  const { disk, writes, put } = overDisk();
  put(1n, 1, 1);
  ramdiskCacheWriteRequest(disk, 'secondary', 2n, 1, Uint8Array.of(2, 2));
  ramdiskStartFlush(disk, 'primary');
  t.equal(disk.inflight, 1);
  t.equal(ramdiskInit(disk), -1);
  t.equal(disk.secondaryCache?.size, 1, 'nothing has changed');
  writes[0]?.done(errno.EIO);
  t.equal(disk.error, errno.EIO);
  put(3n, 3, 3);
  t.equal(ramdiskInit(disk), 0);
  t.match(disk, { error: 0, inflight: 0, flushing: false, prev: undefined, inprogress: undefined });
  t.same([disk.primaryCache?.size, disk.secondaryCache?.size], [0, 0]);
  put(4n, 4, 4);
  t.equal(ramdiskStartFlush(disk, 'primary'), 0, 'and it writes again');
  t.equal(writes.length, 2);
  t.equal(overDisk({ sectorSize: 1 }).initial, 0, 'the smallest sector');
});

t.test('a ramdisk with writes in flight, or that pend, is not destroyed', async (t) => {
  const { disk, writes, put, log } = overDisk();
  put(1n, 1, 1);
  ramdiskStartFlush(disk, 'primary');
  put(1n, 2, 2);
  ramdiskStartFlush(disk, 'primary');
  t.equal(ramdiskWritesInflight(disk), 1);
  ramdiskDestroy(disk);
  t.match(log.at(-1), 'cannot destroy ramdisk with requests in flight');
  const sector = new Uint8Array(2);
  t.equal(ramdiskRead(disk, 1n, 1, sector), 0);
  t.same([...sector], [2, 2], 'what pends goes before what is in flight');
  writes[0]?.done(0);
  t.same(writes[1]?.data, [2, 2]);
  writes[1]?.done(0);
  t.equal(ramdiskWritesInflight(disk), 0);
  ramdiskDestroy(disk);
  t.match(disk, { prev: undefined, inprogress: undefined, primaryCache: undefined });
});

t.test('each cache is its own', async (t) => {
  const { disk, writes, put } = overDisk();
  put(1n, 1, 1);
  t.equal(ramdiskCacheWriteRequest(disk, 'secondary', 1n, 2, Uint8Array.of(7, 7, 8, 8)), 0);
  const sectors = new Uint8Array(4);
  t.equal(ramdiskReadFromCache(disk, 'secondary', 1n, 2, sectors), 0);
  t.same([...sectors], [7, 7, 8, 8]);
  t.equal(ramdiskReadFromCache(disk, 'primary', 1n, 2, sectors), -1, 'one of them is not there');
  t.equal(ramdiskClearCache(disk, 'primary'), 0);
  t.equal(ramdiskStartFlush(disk, 'primary'), 0, 'an empty one does nothing');
  t.equal(writes.length, 0);
  t.equal(ramdiskStartFlush(disk, 'secondary'), 0);
  t.match(writes, [{ sector: 1n, data: [7, 7, 8, 8] }]);
  t.equal(disk.secondaryCache?.size, 0);
});
