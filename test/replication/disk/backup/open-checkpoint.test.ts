// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../../src/posix/index.js';
import { OpenCheckpoint } from '../../../../src/replication/disk/backup/open-checkpoint.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';
import type { SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import { Journal } from '../../../../src/replication/disk/journal/journal.js';
import { recoverJournal, type RecoveredRecord } from '../../../../src/replication/disk/journal/recover.js';
import { SegmentFile } from '../../../../src/replication/disk/journal/segment-file.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { TestFiles } from './host-files.js';
import { JOURNAL, newJournal } from './test-store.js';

const NONE = 0xeeeeeeee;
/** So many sectors fill a record, of which a file of 140 blocks has room for one. */
const RECORD = 1024;
const RECORD_BYTES = 4096 + RECORD * 512;
const FACTS = {
  generation: '00000000000000aa',
  epoch: 1,
  resyncId: '0'.repeat(16),
  resyncCrc: 0,
  resyncCheckpoint: 0,
};

interface Options {
  readonly memoryBytes?: number;
  readonly blocks?: number;
}

/** An open checkpoint, the fifth one, over a journal on simulated files. */
async function open({ memoryBytes = 1 << 20, blocks = 1024 }: Options = {}) {
  const files = new TestFiles();
  const journal = new Journal(
    { files: await newJournal(files, blocks), salt: () => 1, onFailure: () => {} },
    { current: undefined, firstLive: 1, sequence: 0 },
  );
  const changes = { count: 0 };
  const checkpoint = new OpenCheckpoint(journal, memoryBytes, 5, () => (changes.count += 1));
  const write = (sector: number, tag: number, sectors = 1, crc?: number): void =>
    checkpoint.write(sector, tagged(tag, sectors), crc);
  const settle = (): Promise<void> => files.world.run(0.1);
  const tags = async (map: SectorMap, start: number, end: number): Promise<number[]> => {
    const bytes = new Uint8Array((end - start) * 512);
    await files.ended((done) => readOverlay(new HeldDisk(end, 0xee), [map], start, bytes, done));
    return [...contentOf(bytes)];
  };
  /** The records that are committed now. */
  const records = async (): Promise<RecoveredRecord[]> => {
    await files.ended((done) => journal.commit(FACTS, done));
    const load = async (path: string): Promise<SegmentFile> =>
      (await files.wait(SegmentFile.load(files.calls, path, () => {}))) as SegmentFile;
    const pair = [await load(JOURNAL[0]), await load(JOURNAL[1])] as const;
    const found: RecoveredRecord[] = [];
    await files.wait(recoverJournal(pair, 1, (record) => found.push(record)));
    return found;
  };
  return { files, journal, checkpoint, changes, write, settle, tags, records };
}

t.test(
  'a checkpoint that is closed has its number, its bytes and its content, and the next is empty',
  async (t) => {
    const { checkpoint, write, tags, records } = await open();
    write(3, 1, 2);
    checkpoint.zero(4, 3);
    t.equal(checkpoint.bytes, 5 * 512);
    const closed = checkpoint.close();
    t.match(closed, { number: 5, bytes: 5 * 512, firstSegment: 1 });
    t.same(await tags(closed?.map as SectorMap, 2, 8), [NONE, 1, 0, 0, 0, NONE]);
    t.match(checkpoint, { bytes: 0, firstSegment: Infinity });
    const next = checkpoint.close();
    t.match(next, { number: 6, bytes: 0, firstSegment: Infinity });
    t.same(next?.map.size, 0);
    t.match(await records(), [
      {
        header: { kind: 'data', checkpoint: 5, extents: 2 },
        extents: [
          { sector: 3, sectors: 2 },
          { sector: 4, sectors: 3, dataAt: -1 },
        ],
      },
    ]);
  },
);

t.test('a write that is longer than a record goes into several, in order', async (t) => {
  const { checkpoint, write, settle, records } = await open({ memoryBytes: 8 << 20 });
  const data = Buffer.concat(Array.from({ length: 2 * RECORD + 10 }, (_, at) => tagged(at + 1, 1)));
  checkpoint.write(100, data);
  t.equal(checkpoint.bytes, data.length);
  await settle();
  write(0, 9);
  const closed = checkpoint.close();
  t.equal(closed?.bytes, data.length + 512);
  const found = await records();
  t.same(
    found.map(({ extents }) => extents.map(({ sector, sectors }) => `${sector}+${sectors}`)),
    [['100+1024'], ['1124+1024'], ['2148+10', '0+1']],
  );
  t.equal(found[1]?.extents[0]?.crc, crc32(data.subarray(RECORD * 512, 2 * RECORD * 512)));
});

t.test('the crc of a write is taken as it was sent, unless the write is divided', async (t) => {
  const { checkpoint, write, settle, records } = await open();
  const crc = crc32(tagged(7, RECORD));
  write(0, 7, RECORD, crc);
  write(5000, 1);
  write(6000, 7, RECORD, crc);
  await settle();
  checkpoint.close();
  const crcs = (await records()).flatMap(({ extents }) => extents.map((extent) => extent.crc));
  t.same(crcs, [crc, crc32(tagged(1, 1)), crc32(tagged(7, RECORD - 1)), crc32(tagged(7, 1))]);
});

t.test('a record is written as soon as it has no more room for data or extents', async (t) => {
  const { checkpoint, write, journal } = await open();
  const { usedBytes } = journal;
  write(0, 1, RECORD - 1);
  t.equal(journal.usedBytes, usedBytes);
  t.equal(checkpoint.firstSegment, Infinity);
  write(RECORD, 2);
  t.equal(journal.usedBytes, usedBytes + RECORD_BYTES);
  t.equal(checkpoint.firstSegment, 1);
  for (let count = 0; count < 251; count++) checkpoint.zero(count * 2, 1);
  t.equal(journal.usedBytes, usedBytes + RECORD_BYTES);
  checkpoint.zero(1000, 1);
  t.equal(journal.usedBytes, usedBytes + RECORD_BYTES + 4096);
});

t.test(
  'after a small checkpoint writes are stored as they come, those that come meanwhile together',
  async (t) => {
    const { checkpoint, write, settle, journal, records } = await open();
    write(0, 1);
    checkpoint.close();
    await settle();
    const used = (): number => journal.usedBytes;
    let before = used();
    const grown = (): number => {
      const bytes = used() - before;
      before += bytes;
      return bytes / 4096;
    };
    write(1, 1);
    t.equal(grown(), 2, 'it is on its way');
    write(2, 2);
    checkpoint.zero(3, 1);
    t.equal(grown(), 0, 'these wait for it');
    await settle();
    t.equal(grown(), 2, 'and are on theirs');
    await settle();
    for (let sector = 10; sector < 20; sector++) {
      write(sector, sector);
      await settle();
    }
    t.equal(grown(), 5 * 2, 'up to the eighth write');
    checkpoint.close();
    t.equal(grown(), 2);
    await settle();
    write(50, 1);
    t.equal(grown(), 0, 'the last one was not small');
    checkpoint.close();
    const extents = (await records()).map((record) => record.extents.map(({ sector }) => sector));
    t.same(extents, [[0], [1], [2, 3], [10], [11], [12], [13], [14], [15, 16, 17, 18, 19], [50]]);
  },
);

t.test('the writes of a checkpoint that was dropped do not keep those of the next one waiting', async (t) => {
  const { checkpoint, write, settle, journal } = await open();
  write(0, 1);
  checkpoint.close();
  await settle();
  for (let sector = 1; sector < 9; sector++) write(sector, 1);
  checkpoint.abort();
  await settle();
  const before = journal.usedBytes;
  write(50, 1);
  t.equal(journal.usedBytes - before, 2 * 4096, 'it is on its way');
});

t.test('writes that wait when their checkpoint is dropped are not stored', async (t) => {
  const { checkpoint, write, settle, records } = await open();
  write(0, 1);
  checkpoint.close();
  await settle();
  write(1, 1);
  write(2, 1);
  checkpoint.abort();
  await settle();
  write(3, 1);
  checkpoint.close();
  const found = (await records()).map(({ header, extents }) => [header.kind, extents[0]?.sector]);
  t.same(found, [
    ['data', 0],
    ['data', 1],
    ['abort', undefined],
    ['data', 3],
  ]);
});

t.test('a checkpoint that is dropped is void in the journal, and the next has another number', async (t) => {
  const { checkpoint, write, settle, records } = await open();
  write(0, 1, RECORD);
  write(0, 2);
  await settle();
  checkpoint.abort();
  t.match(checkpoint, { bytes: 0, firstSegment: Infinity });
  write(8, 3);
  t.match(checkpoint.close(), { number: 6, bytes: 512 });
  t.match(
    (await records()).map(({ header: { kind, checkpoint: number, extents } }) => ({ kind, number, extents })),
    [
      { kind: 'data', number: 5, extents: 1 },
      { kind: 'abort', number: 5, extents: 0 },
      { kind: 'data', number: 6, extents: 1 },
    ],
  );
});

t.test('a checkpoint without records leaves nothing in the journal when it is dropped', async (t) => {
  const { checkpoint, write, journal, records } = await open();
  const { usedBytes } = journal;
  write(0, 1);
  checkpoint.abort();
  checkpoint.abort();
  t.equal(journal.usedBytes, usedBytes);
  write(8, 3);
  t.match(checkpoint.close(), { number: 7 });
  t.equal((await records()).length, 1);
});

t.test('records that the journal has no room for wait in order, and so does the close', async (t) => {
  const { checkpoint, journal, changes, write, settle, tags, files } = await open({
    blocks: 140,
    memoryBytes: 64 << 20,
  });
  write(0, 1, 600);
  const first = checkpoint.close();
  t.equal(first?.firstSegment, 1);
  for (const at of [0, 1, 2]) write(at * RECORD, at + 1, RECORD);
  t.ok(checkpoint.isStuck);
  t.notOk(checkpoint.hasRoom);
  t.equal(checkpoint.firstSegment, 2);
  write(9000, 9);
  t.equal(checkpoint.close(), undefined);
  await settle();
  t.equal(changes.count, 0);
  checkpoint.retry();
  t.ok(checkpoint.isStuck, 'there is no room yet');
  t.equal(changes.count, 0);
  journal.retire(2);
  checkpoint.retry();
  t.ok(checkpoint.isStuck, 'one of them found room');
  t.equal(changes.count, 0);
  await settle();
  journal.retire(3);
  checkpoint.retry();
  t.notOk(checkpoint.isStuck);
  t.equal(changes.count, 1);
  t.ok(checkpoint.hasRoom);
  const closed = checkpoint.close();
  t.match(closed, { number: 6, bytes: (3 * RECORD + 1) * 512 });
  const map = closed?.map as SectorMap;
  t.same(new Set(await tags(map, 0, RECORD)), new Set([1]));
  t.same(new Set(await tags(map, 2 * RECORD, 3 * RECORD)), new Set([3]));
  t.same(await tags(map, 9000, 9001), [9]);
  t.ok(files.open.length > 0);
});

t.test('a checkpoint that waits for room can be dropped, as room is kept for that', async (t) => {
  const { checkpoint, write, journal } = await open({ blocks: 140 });
  for (const at of [0, 1, 2, 3]) write(at * RECORD, at + 1, RECORD);
  t.ok(checkpoint.isStuck);
  checkpoint.abort();
  t.notOk(checkpoint.isStuck);
  t.match(checkpoint, { bytes: 0, firstSegment: Infinity });
  journal.retire(2);
  t.equal(checkpoint.close()?.map.size, 0);
});

t.test('half of the memory, and a record at least, may wait to be written', async (t) => {
  for (const [memoryBytes, records] of [
    [0, 1],
    [2 * RECORD_BYTES, 1],
    [2 * RECORD_BYTES + 2, 2],
    [4 * RECORD_BYTES, 2],
  ] as const) {
    const { checkpoint, changes, write, settle } = await open({ memoryBytes });
    let count = 0;
    for (; checkpoint.hasRoom; count++) write(0, 1, RECORD);
    t.equal(count, records, `with ${memoryBytes} bytes`);
    await settle();
    t.ok(checkpoint.hasRoom);
    t.equal(changes.count, 1);
  }
});

t.test('a checkpoint has no room for more than 524,288 extents', async (t) => {
  const { checkpoint } = await open();
  // Zeroes count once for each MiB.
  checkpoint.zero(0, 2048 * (2 ** 19 - 1));
  t.ok(checkpoint.hasRoom);
  checkpoint.zero(2 ** 40, 1);
  t.notOk(checkpoint.hasRoom);
});

t.test(
  'the oldest records that are written give up their memory when it is more than there may be',
  async (t) => {
    const { checkpoint, write, settle, tags } = await open({ memoryBytes: 2 * RECORD_BYTES });
    for (const at of [0, 1, 2, 3]) {
      write(at * RECORD, at + 1, RECORD);
      await settle();
    }
    const map = checkpoint.close()?.map as SectorMap;
    const held = [...map.all()].map(({ piece }) => piece?.bytes !== undefined);
    t.same(new Set(held.slice(0, held.length / 2)), new Set([false]));
    t.same(new Set(held.slice(held.length / 2)), new Set([true]));
    for (const at of [0, 1, 2, 3]) {
      t.same(new Set(await tags(map, at * RECORD, (at + 1) * RECORD)), new Set([at + 1]), 'read again');
    }
  },
);

t.test(
  'memory that is being written to the image is not used again, though its record gives it up',
  async (t) => {
    const { checkpoint, write, settle } = await open({ memoryBytes: 0 });
    write(0, 1, RECORD);
    const pinned = checkpoint.close()?.map.within(0, 1)[0]?.piece;
    t.ok(pinned);
    if (pinned) pinned.pins += 1;
    const bytes = pinned?.bytes as Uint8Array;
    for (let count = 2; count < 6; count++) {
      await settle();
      write(0, count, RECORD);
    }
    t.equal(pinned?.bytes, undefined);
    t.equal(contentOf(Uint8Array.from(bytes.subarray(4096, 4096 + 512)))[0], 1);
  },
);

t.test('the memory of records is used again once it was given up', async (t) => {
  const { checkpoint, write, settle } = await open({ memoryBytes: 0 });
  const buffers = new Set<unknown>();
  for (let count = 1; count < 6; count++) {
    write(0, count, RECORD);
    const piece = checkpoint.close()?.map.within(0, 1)[0]?.piece;
    buffers.add(piece?.bytes?.buffer);
    await settle();
  }
  t.ok(buffers.size < 4, `${buffers.size} buffers`);
});

t.test('a record that could not be written stays in memory', async (t) => {
  const { files, checkpoint, write, settle } = await open({ memoryBytes: 0 });
  files.host.failCalls({ calls: ['write'], error: errno.EIO });
  write(0, 1, RECORD);
  const piece = checkpoint.close()?.map.within(0, 1)[0]?.piece;
  await settle();
  t.ok(piece?.bytes);
});
