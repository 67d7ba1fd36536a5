// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A resync while grains are written, cannot be read, or are on their way when the connection breaks.

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { Copier, isAllZero } from '../../../../src/replication/disk/primary/copier.js';
import { Grains } from '../../../../src/replication/disk/primary/grains.js';
import type { DiskExtent, LocalDisk } from '../../../../src/replication/disk/local-disk.js';
import { IMAGE, pair, type Pair } from '../world.js';

const GRAIN_SECTORS = 128;
const GRAINS = 12;

/** A copier whose reads a test ends, and what it sends; places are in grains. The sequences are 0, 1, and so on. */
function alone(
  options: {
    sectorsEach?: number;
    sectors?: number;
    readsAtOnce?: boolean;
    queuedBytes?: number;
    isC?: boolean;
    /** In grains; without it the disk knows nothing of holes. */
    extents?: LocalDisk['extents'];
    onEnded?: () => void;
  } = {},
) {
  const { sectorsEach = GRAIN_SECTORS, readsAtOnce = false, queuedBytes = 0 } = options;
  const { sectors = GRAINS * sectorsEach } = options;
  const grains = new Grains(Math.ceil(sectors / sectorsEach), sectorsEach);
  const reads: {
    readonly at: string;
    readonly buffer: Uint8Array;
    /** Ends it; of bytes each is what a grain is full of. */
    readonly end: (result: number, byte?: number | readonly number[]) => void;
  }[] = [];
  const sent: string[] = [];
  const counts = { sentBytes: 0, ended: 0 };
  const stored: number[] = [];
  const failures: string[] = [];
  const at = (sector: number, its: number): string => `${sector / sectorsEach}+${its / sectorsEach}`;
  const data = (sector: number, bytes: Uint8Array): number =>
    sent.push(`data ${at(sector, bytes.length / 512)}`);
  const zero = (sector: number, its: number): number => sent.push(`zero ${at(sector, its)}`);
  const compare = (sector: number, its: number): number => sent.push(`ask ${at(sector, its)}`);
  const sync = {
    begin: () => {},
    send: (sector: number, bytes: Uint8Array) => data(sector, bytes) - 1,
    zero: (sector: number, its: number) => zero(sector, its) - 1,
    compare: (sector: number, its: number) => compare(sector, its) - 1,
  };
  const copier = new Copier({
    disk: {
      sectors,
      read: (sector, buffer, done) => {
        const end = (result: number, byte: number | readonly number[] = 0): void => {
          const each = sectorsEach * 512;
          for (const [grain, filling] of [byte].flat().entries()) buffer.fill(filling, grain * each);
          done(result);
        };
        if (readsAtOnce) end(0);
        else reads.push({ at: at(sector, buffer.length / 512), buffer, end });
      },
      write: () => {},
      zero: () => {},
      flush: () => {},
      identify: () => {},
      ...(options.extents && { extents: options.extents }),
    },
    grains,
    peer: {
      kind: options.isC ? 'c' : 'own',
      sync: options.isC ? undefined : sync,
      canAbort: true,
      queuedBytes,
      sentBytes: 0,
      write: data,
      zero,
      commit: () => () => {},
      abort: () => {},
      close: () => {},
    },
    onSent: (bytes) => (counts.sentBytes += bytes),
    onStored: (bytes) => stored.push(bytes),
    onEnded: () => {
      counts.ended += 1;
      options.onEnded?.();
    },
    onFailure: (message) => failures.push(message),
  });
  return { copier, grains, reads, sent, stored, failures, counts };
}

/** The backup is gone, and lacks what the primary has written to some grains since. */
async function apart({ a, b, world }: Pair): Promise<void> {
  await world.run(() => a.isUp && b.isUp);
  // A C primary connects when it is written to.
  await a.write(0, 8, 1);
  await a.until('protected');
  b.host.crash('reset');
  await a.until('unprotected');
  for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN_SECTORS, 8, grain + 2);
}

for (const peer of ['own', 'c'] as const) {
  const both = { a: { peer, hotGrains: 1 }, b: { peer } };

  t.test(`a grain that is written while it is read for the backup (${peer})`, async (t) => {
    const sides = pair(t, both);
    const { a, b, world } = sides;
    await apart(sides);
    a.held.hold('read', IMAGE);
    b.host.restart();
    await world.run(() => a.held.waiting('read', IMAGE) > 0, { limitSeconds: 60 });
    for (let grain = 0; grain < GRAINS; grain++) await a.write(grain * GRAIN_SECTORS, 8, 100 + grain);
    a.held.release('read', IMAGE);
    await a.until('protected');
    t.ok((await a.checkpoint()) > 0);
    t.ok((await a.read()).equals(await b.read()), 'has its last content at the backup');
  });
}

t.test(
  'a grain that is read or compared for the backup stays in the map until the backup has it',
  async (t) => {
    const { copier, grains, reads } = alone();
    const cleanOnes = (): number[] => [3, 4, 5].filter((grain) => grains.isClean(grain));
    t.same(cleanOnes(), [3, 4, 5]);
    grains.toSend.add(3);
    grains.toSend.add(4);
    grains.toAsk.add(4);
    copier.pump();
    t.same(cleanOnes(), [5], 'both are read');
    for (const { end } of reads) end(0, 1);
    t.same(cleanOnes(), [5], 'one is sent, the other compared');
    grains.inResync.clear();
    t.same(cleanOnes(), [3, 5], 'the backup has the one that was sent');
    copier.compared(1, false);
    grains.inResync.clear();
    t.same(cleanOnes(), [3, 4, 5], 'and what was found equal');
    t.equal(grains.copying.size, 0);
    copier.progress(0);
    grains.toSend.add(5);
    copier.pump();
    copier.stop();
    t.same(cleanOnes(), [3, 4], 'the connection is over before it was read');
    t.equal(grains.copying.size, 0);
  },
);

t.test('a grain that cannot be read for the backup is sent once it is readable', async (t) => {
  const sides = pair(t);
  const { a, b } = sides;
  await apart(sides);
  const fault = a.host.files.failCalls({ calls: ['read'], nth: 1, error: errno.EIO });
  b.host.restart();
  await a.until('protected');
  t.equal(fault.failed, 1);
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()));
});

t.test(
  'grains that are being read, or on their way, when the connection breaks are sent again',
  async (t) => {
    for (const isRead of [true, false]) {
      const sides = pair(t);
      const { a, b, world } = sides;
      await apart(sides);
      a.held.hold('read', IMAGE);
      b.host.restart();
      await world.run(() => a.held.waiting('read', IMAGE) > 0, { limitSeconds: 60 });
      const link = world.link(a.host, b.host).cut('forth').cut('back');
      // What is sent from here on never arrives.
      if (isRead) a.held.release('read', IMAGE);
      await world.run(1);
      link.reset();
      a.held.release('read', IMAGE);
      await world.run(2);
      link.heal();
      await a.until('protected');
      t.ok((await a.checkpoint()) > 0);
      t.ok((await a.read()).equals(await b.read()), isRead ? 'what was on its way' : 'what was being read');
    }
  },
);

t.test('a write that fails locally is read again for the backup', async (t) => {
  const { a, b } = pair(t);
  await a.until('protected');
  await a.write(0, 8, 1);
  t.ok((await a.checkpoint()) > 0);
  // The first write of a checkpoint also writes the metadata.
  await a.write(64, 8, 2);
  const fault = a.host.files.failCalls({ calls: ['write'], nth: 1, error: errno.EIO });
  t.equal(await a.write(0, 8, 2), -errno.EIO);
  t.equal(fault.failed, 1);
  await a.until('protected');
  t.ok((await a.checkpoint()) > 0);
  t.ok((await a.read()).equals(await b.read()), 'nobody knows what the disk has, but both have it');
});

t.test(
  '64 MiB may be at the backup and not on its stable storage; more is sent as it gets there',
  async (t) => {
    const { copier, grains, sent, stored } = alone({ sectorsEach: 32_768, readsAtOnce: true });
    const mebibytes = (): number[] => stored.map((bytes) => bytes >> 20);
    grains.toSend.addRange(0, 11);
    copier.pump();
    t.same(sent, ['zero 0+1', 'zero 1+1', 'zero 2+1', 'zero 3+1']);
    copier.progress(0);
    t.same([sent.length, mebibytes()], [5, [16]]);
    copier.progress(3);
    t.same([sent.length, mebibytes()], [8, [16, 16, 16, 16]], 'each is counted once');
    copier.progress(3);
    t.equal(sent.length, 8);
    copier.progress(7);
    t.same(mebibytes().slice(4), [16, 16, 16, 16], 'the last one too');
    t.same(sent.slice(8), ['zero 8+1', 'zero 9+1', 'zero 10+1', 'zero 11+1']);
    grains.toSend.addRange(0, 1);
    copier.pump();
    t.equal(sent.length, 12);
    copier.handOver();
    t.same(mebibytes().slice(8), [64]);
    t.notOk(copier.isDone);
    copier.pump();
    t.same(sent.slice(12), ['zero 0+1', 'zero 1+1']);
    t.ok(copier.isDone);
  },
);

t.test('1 MiB may be read, or wait to be sent, at a time', async (t) => {
  for (const [queuedBytes, expected] of [
    [0, ['0+4', '4+4', '8+4', '12+4']],
    [1, ['0+4', '4+4', '8+4', '12+4']],
    [256 << 10, ['0+4', '4+4', '8+4']],
    [(1 << 20) - 1, ['0+4']],
    [1 << 20, []],
  ] as const) {
    const { copier, grains, reads } = alone({ sectors: 40 * GRAIN_SECTORS, queuedBytes });
    grains.toSend.addRange(0, 39);
    copier.pump();
    t.same(
      reads.map(({ at }) => at),
      expected,
      `${queuedBytes} bytes wait`,
    );
    for (const { end } of reads.splice(0, 1)) end(0, 1);
    copier.pump();
    t.equal(reads.length, expected.length, 'one that has ended makes room for the next');
  }
});

t.test('what is written again is sent after the rest, not before', async (t) => {
  const { copier, grains, reads } = alone({ queuedBytes: (1 << 20) - 1 });
  grains.toSend.addRange(0, 11);
  const order: string[] = [];
  for (let run = 0; run < 4; run++) {
    copier.pump();
    const [read] = reads.splice(0);
    order.push(read?.at ?? '');
    read?.end(0, 1);
    if (run === 0) grains.toSend.add(2);
  }
  t.same(order, ['0+4', '4+4', '8+4', '2+1']);
});

t.test('the memory of a read is used again for the next', async (t) => {
  const { copier, grains, reads } = alone({ queuedBytes: (1 << 20) - 1 });
  grains.toSend.addRange(0, 11);
  copier.pump();
  const [first] = reads.splice(0);
  first?.end(0, 1);
  copier.pump();
  t.equal(reads[0]?.buffer, first?.buffer);
});

t.test('bytes are all zeroes only if each is', async (t) => {
  for (const length of [1, 2, 511, 512]) {
    const bytes = new Uint8Array(length);
    t.ok(isAllZero(bytes));
    for (const at of new Set([0, 1, length >> 1, length - 1])) {
      const changed = Uint8Array.from(bytes);
      changed[at % length] = 1;
      t.notOk(isAllZero(changed), `byte ${at % length} of ${length}`);
    }
    t.notOk(isAllZero(bytes.fill(7)));
  }
});

t.test('32 grains may be asked about at a time; the answer to one makes room for the next', async (t) => {
  const { copier, grains, sent, stored } = alone({ sectors: 40 * GRAIN_SECTORS, readsAtOnce: true });
  grains.toSend.addRange(0, 39);
  grains.toAsk.addRange(0, 39);
  copier.pump();
  t.same([sent.length, sent[0], sent[31]], [32, 'ask 0+1', 'ask 31+1'], 'one by one');
  copier.compared(7, false);
  copier.pump();
  t.same([sent.length, sent[32]], [33, 'ask 32+1']);
  t.same(stored, [GRAIN_SECTORS * 512]);
  t.ok(grains.inResync.has(7), 'what is equal is there');
  copier.compared(8, true);
  t.equal(sent[33], 'zero 8+1', 'what differs is sent');
  t.ok(grains.inResync.has(8));
  t.notOk(grains.toSend.has(8));
  copier.compared(8, true);
  copier.compared(999, false);
  t.equal(sent.length, 34, 'an answer to nothing is none');
  copier.written(9, 9);
  copier.compared(9, false);
  t.notOk(grains.inResync.has(9));
  t.ok(grains.toSend.has(9), 'the answer is about what is not there any more');
});

t.test('what was written while it was read is read again, and nothing else', async (t) => {
  for (const [from, to, again] of [
    [0, 3, []],
    [3, 4, ['4+4']],
    [7, 7, ['4+4']],
    [8, 8, ['8+4']],
    [5, 9, ['4+4', '8+4']],
    [12, 12, []],
  ] as const) {
    const { copier, grains, reads, sent } = alone();
    grains.toSend.addRange(4, 11);
    copier.pump();
    copier.written(from, to);
    for (const { end } of reads.splice(0)) end(0, 1);
    t.equal(sent.length, 2 - again.length);
    t.equal(copier.isDone, again.length === 0);
    copier.pump();
    t.same(
      reads.map(({ at }) => at),
      again,
      `${from} to ${to}`,
    );
  }
});

t.test(
  'a run ends before a grain that is written now, is not to be sent, or has to be asked about',
  async (t) => {
    const { copier, grains, reads } = alone();
    for (const grain of [0, 1, 2, 4, 5, 6, 8]) grains.toSend.add(grain);
    grains.begin(1, 1);
    grains.toAsk.add(5);
    copier.pump();
    t.same(
      reads.map(({ at }) => at),
      ['0+1', '2+1', '4+1', '5+1'],
    );
    for (const { end } of reads.splice(0)) end(0, 1);
    copier.pump();
    t.same(
      reads.map(({ at }) => at),
      ['6+1', '8+1'],
    );
    grains.end(1, 1);
    copier.pump();
    t.equal(reads.at(-1)?.at, '1+1', 'from the start again');
    for (const { end } of reads.splice(0)) end(0, 1);
    copier.pump();
    t.same(reads, []);
    t.notOk(copier.isDone, 'one is not compared yet');
  },
);

t.test('zeroes are sent without data, and a last grain is as long as the disk', async (t) => {
  const { copier, grains, reads, sent, counts } = alone({ sectors: 3.5 * GRAIN_SECTORS });
  grains.toSend.addRange(0, 3);
  copier.pump();
  t.same(
    reads.map(({ at }) => at),
    ['0+3.5'],
  );
  reads[0]?.end(0, 0);
  t.same(sent, ['zero 0+3.5']);
  t.same(counts, { sentBytes: 3.5 * GRAIN_SECTORS * 512, ended: 1 });
  t.same([...grains.inResync], [0, 1, 2, 3]);
});

for (const isC of [false, true]) {
  const kind = isC ? 'a C' : 'an own';
  t.test(`a run is sent to ${kind} backup in parts, each of data or of zeroes, in order`, async (t) => {
    const { copier, grains, reads, sent, counts } = alone({ isC, sectors: 7.5 * GRAIN_SECTORS });
    grains.toSend.addRange(4, 7);
    copier.pump();
    reads[0]?.end(0, [1, 2, 0, 0]);
    t.same(sent, ['data 4+2', 'zero 6+1.5']);
    t.equal(counts.sentBytes, 3.5 * GRAIN_SECTORS * 512);
    const { inResync, open } = grains;
    t.same([[...inResync], [...open]], isC ? [[], [4, 5, 6, 7]] : [[4, 5, 6, 7], []]);
    grains.toSend.addRange(0, 3);
    copier.pump();
    reads[1]?.end(0, [0, 5, 0, 5]);
    t.same(sent.slice(2), ['zero 0+1', 'data 1+1', 'zero 2+1', 'data 3+1']);
    copier.stop();
    t.equal(grains.toSend.count, isC ? 0 : 8);
  });
}

t.test('a part of what was sent that is on stable storage is not sent again', async (t) => {
  const { copier, grains, reads } = alone();
  grains.toSend.addRange(0, 3);
  copier.pump();
  reads[0]?.end(0, [1, 1, 0, 1]);
  copier.progress(1);
  copier.stop();
  t.same([...grains.toSend], [3]);
});

t.test('no more than 64 MiB may be at the backup and not on its stable storage', async (t) => {
  const { copier, grains, sent } = alone({ sectorsEach: 2048, sectors: 70 * 2048, readsAtOnce: true });
  grains.toSend.addRange(0, 69);
  copier.pump();
  t.equal(sent.length, 64);
});

t.test('a C backup gets it all as writes of the open checkpoint, and is asked nothing', async (t) => {
  const { copier, grains, reads, sent, stored } = alone({ isC: true });
  grains.toSend.addRange(2, 5);
  grains.toAsk.addRange(2, 3);
  copier.pump();
  reads[0]?.end(0, 1);
  t.same(sent, ['data 2+4']);
  t.same([...grains.open], [2, 3, 4, 5]);
  t.same([...grains.inResync], []);
  t.ok(copier.isDone);
  copier.stop();
  t.equal(grains.toSend.count, 0, 'which knows itself what became of it');
  t.same(stored, []);
});

t.test('a grain that cannot be read is reported with its place, and nothing more is read', async (t) => {
  const { copier, grains, reads, sent, failures } = alone();
  grains.toSend.addRange(0, 11);
  copier.pump();
  t.equal(reads.length, 3);
  reads[1]?.end(-errno.EIO);
  t.same(failures, ['cannot read 512 sectors at 512 for the backup: EIO']);
  reads[0]?.end(0, 1);
  reads[2]?.end(-errno.EIO);
  copier.pump();
  t.same([sent, reads.length], [[], 3]);
  copier.stop();
  t.equal(grains.toSend.count, 12, 'all of it is sent to the next one');
});

t.test('what a copier that is stopped does not know to be at the backup is sent again', async (t) => {
  const { copier, grains, reads, sent } = alone();
  grains.toSend.addRange(0, 11);
  grains.toAsk.addRange(0, 2);
  copier.pump();
  for (const { end } of reads.splice(0)) end(0, 1);
  t.same(sent, ['ask 0+1', 'ask 1+1', 'ask 2+1', 'data 3+4']);
  copier.pump();
  t.same(
    reads.map(({ at }) => at),
    ['7+4', '11+1'],
  );
  copier.written(1, 1);
  copier.compared(2, false);
  copier.stop();
  t.same([...grains.toSend], [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11], 'all but what was found equal');
  t.same([...grains.toAsk], [0], 'what was written since has to be sent anyway');
  for (const { end } of reads) end(0, 1);
  t.equal(sent.length, 4);
});

/** A disk of zeroes in which these grains have data; it looks at 1000 sectors at a time. */
function holesAround(grainSectors: number, data: readonly number[]): NonNullable<LocalDisk['extents']> {
  return (sector, sectors, done) => {
    const found: DiskExtent[] = [];
    const end = sector + sectors;
    for (let at = sector; at < end;) {
      const zero = !data.includes(Math.floor(at / grainSectors));
      const next = Math.min((Math.floor(at / grainSectors) + 1) * grainSectors, end);
      const last = found.at(-1);
      if (last?.zero === zero) found[found.length - 1] = { sectors: last.sectors + next - at, zero };
      else found.push({ sectors: next - at, zero });
      at = next;
    }
    done(0, found);
  };
}

t.test('a hole is sent without a read, ever more of it at a time, up to 1 GiB', async (t) => {
  const each = 512;
  const grains = 20_000;
  const {
    copier,
    grains: all,
    reads,
    sent,
    stored,
  } = alone({
    sectorsEach: each,
    // The last grain is not whole.
    sectors: grains * each - 8,
    extents: holesAround(each, [5000, 19_999]),
  });
  all.toSend.fill();
  for (let round = 0; !copier.isDone && round < 100; round++) {
    copier.pump();
    for (const read of reads.splice(0)) read.end(0, 1);
    copier.progress(sent.length - 1);
  }
  t.same(sent, [
    'zero 0+1',
    'zero 1+8',
    'zero 9+64',
    'zero 73+512',
    'zero 585+4096',
    'zero 4681+319',
    'zero 5001+1',
    'zero 5002+8',
    'zero 5010+64',
    'zero 5074+512',
    'data 5000+1',
    'zero 5586+4096',
    'zero 9682+4096',
    'zero 13778+4096',
    'zero 17874+2125',
    `data 19999+${(each - 8) / each}`,
  ]);
  t.equal(all.inResync.count, grains);
  t.equal(
    stored.reduce((sum, bytes) => sum + bytes, 0),
    (grains * each - 8) * 512,
  );
});

t.test('a run that is a hole in part lets the next one be no longer', async (t) => {
  const { copier, grains, sent } = alone({
    sectors: 100 * GRAIN_SECTORS,
    extents: holesAround(GRAIN_SECTORS, [2]),
    // The data after the hole is written at once.
    onEnded: () => sent.length === 1 && grains.begin(2, 2),
  });
  grains.toSend.fill();
  copier.pump();
  t.same(sent, ['zero 0+2', 'zero 3+4', 'zero 7+32', 'zero 39+61']);
});

t.test('a hole that is written while it is looked for is looked for again', async (t) => {
  const waiting: (() => void)[] = [];
  const { copier, grains, reads, sent } = alone({
    extents: (_sector, sectors, done) => waiting.push(() => done(0, [{ sectors, zero: true }])),
  });
  grains.toSend.add(3);
  copier.pump();
  copier.written(3, 3);
  waiting.shift()?.();
  t.same([sent, [...grains.toSend], copier.isDone], [[], [3], false]);
  copier.pump();
  copier.stop();
  waiting.shift()?.();
  t.same([sent, reads, [...grains.toSend]], [[], [], [3]], 'nor is it sent once the connection is over');
});

t.test('a hole at the end of the disk is sent to that end, and what follows is done', async (t) => {
  const { copier, grains, reads, sent, counts } = alone({
    sectors: 3.5 * GRAIN_SECTORS,
    extents: holesAround(GRAIN_SECTORS, [1]),
  });
  grains.toSend.addRange(2, 3);
  copier.pump();
  t.same([sent, reads], [['zero 2+1.5'], []]);
  t.same(counts, { sentBytes: 1.5 * GRAIN_SECTORS * 512, ended: 1 });
  t.same([[...grains.inResync], grains.copying.size, copier.isDone], [[2, 3], 0, true]);
});

t.test('a hole that the backup may have is compared as any grain is', async (t) => {
  const { copier, grains, reads, sent } = alone({ extents: holesAround(GRAIN_SECTORS, []) });
  grains.toSend.add(3);
  grains.toAsk.add(3);
  copier.pump();
  for (const { end } of reads) end(0, 0);
  t.same(sent, ['ask 3+1']);
});

t.test('after holes no more data is read at a time than before', async (t) => {
  const { copier, grains, reads, sent } = alone({
    sectors: 100 * GRAIN_SECTORS,
    extents: holesAround(
      GRAIN_SECTORS,
      Array.from({ length: 60 }, (_, index) => 40 + index),
    ),
  });
  grains.toSend.addRange(0, 99);
  copier.pump();
  t.same(sent, ['zero 0+4', 'zero 4+32', 'zero 36+4']);
  t.same(
    reads.map(({ at }) => at),
    ['40+4', '44+4', '48+4', '52+4'],
  );
  t.equal(grains.toSend.count, 100 - 40 - 16);
});

t.test('what is a hole in part, or not known, is read', async (t) => {
  for (const extents of [[{ sectors: GRAIN_SECTORS - 1, zero: true }], undefined]) {
    const { copier, grains, reads, sent } = alone({ extents: (_at, _sectors, done) => done(0, extents) });
    grains.toSend.add(3);
    copier.pump();
    t.same([reads.map(({ at }) => at), sent], [['3+1'], []]);
  }
});

t.test('a C backup, to which zeroes are data, is sent no large holes', async (t) => {
  const { copier, grains, reads } = alone({ isC: true, extents: holesAround(GRAIN_SECTORS, []) });
  grains.toSend.add(3);
  copier.pump();
  t.same(
    reads.map(({ at }) => at),
    ['3+1'],
  );
});

t.test('holes that are known at once are sent one after the other, not one within the other', async (t) => {
  let depth = 0;
  let deepest = 0;
  const { copier, grains, sent } = alone({
    sectors: 100 * GRAIN_SECTORS,
    extents: (_at, sectors, done) => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      done(0, [{ sectors, zero: true }]);
      depth -= 1;
    },
    onEnded: () => copier.pump(),
  });
  for (let grain = 0; grain < 100; grain += 2) grains.toSend.add(grain);
  copier.pump();
  t.equal(sent.length, 50);
  t.equal(deepest, 1);
  t.ok(copier.isDone);
});
