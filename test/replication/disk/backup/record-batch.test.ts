// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { RecordBatch, RecordBuffers } from '../../../../src/replication/disk/backup/record-batch.js';
import { RecordPiece } from '../../../../src/replication/disk/backup/record-piece.js';
import { SectorMap } from '../../../../src/replication/disk/backup/sector-map.js';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import {
  MAX_EXTENTS,
  MAX_RECORD_BYTES,
  MAX_RECORD_DATA,
  recordExtents,
} from '../../../../src/replication/disk/journal/record.js';
import { BLOCK } from '../../../../src/replication/disk/journal/segment-format.js';
import { contentOf, tagged } from '../simulation/content.js';
import { HeldDisk } from './held-disk.js';
import { readOverlay } from '../../../../src/replication/disk/backup/overlay.js';

/** A batch with the map that its extents go into. */
function batch(buffers = new RecordBuffers()) {
  return { records: new RecordBatch(buffers, (bytes) => new RecordPiece(bytes)), map: new SectorMap() };
}

/** Buffers of which one has been used: it is full of 0xff. */
function usedBuffers(): RecordBuffers {
  const buffers = new RecordBuffers();
  const used = buffers.take();
  used.fill(0xff);
  buffers.give(used);
  return buffers;
}

/** Of a sector that the map does not have. */
const NONE = 0xeeeeeeee;

/** The tags of the sectors before `end`, as the map has them. */
function tagsIn(map: SectorMap, end: number): number[] {
  const bytes = new Uint8Array(end * 512);
  readOverlay(new HeldDisk(end, 0xee), [map], 0, bytes, () => {});
  return [...contentOf(bytes)];
}

t.test(
  'a record has its extents in order, each with the crc of its data, and is filled up to a block',
  async (t) => {
    const { records, map } = batch(usedBuffers());
    t.ok(records.isEmpty);
    t.equal(records.add(8, tagged(3, 2), map), 1024);
    records.addZeroes(1, 4, map);
    t.equal(records.add(5, tagged(4, 1), map), 512);
    t.notOk(records.isEmpty);
    const tags = [NONE, 0, 0, 0, 0, 4, NONE, NONE, 3, 3, NONE];
    t.same(tagsIn(map, 11), tags);
    const { record, extents, piece } = records.take();
    t.equal(extents, 3);
    t.equal(record.length, 2 * BLOCK);
    t.same(recordExtents(record, 3), [
      { sector: 8, sectors: 2, dataAt: BLOCK, crc: crc32(tagged(3, 2)) },
      { sector: 1, sectors: 4, dataAt: -1, crc: 0 },
      { sector: 5, sectors: 1, dataAt: BLOCK + 1024, crc: crc32(tagged(4, 1)) },
    ]);
    t.ok(records.isEmpty);
    t.equal(piece.bytes, record);
    records.add(10, tagged(5, 1), map);
    tags[10] = 5;
    t.same(tagsIn(map, 11), tags, 'the map has the content of either');
  },
);

t.test('what is not used of a record is zero, though its memory was used before', async (t) => {
  const { records, map } = batch(usedBuffers());
  records.add(0, tagged(1, 1), map);
  const { record } = records.take();
  t.ok(
    record.subarray(64 + 16, BLOCK).every((byte) => byte === 0),
    'the table after its last extent',
  );
  t.ok(
    record.subarray(BLOCK + 512).every((byte) => byte === 0),
    'the block after its last sector',
  );
});

t.test('a record takes no more data than it has room for', async (t) => {
  const { records, map } = batch();
  records.add(0, tagged(1, 2), map);
  const rest = MAX_RECORD_DATA - 1024;
  t.notOk(records.isFull);
  t.equal(records.add(2, tagged(2, 1024), map), rest);
  t.ok(records.isFull);
  const { record, extents } = records.take();
  t.equal(record.length, MAX_RECORD_BYTES);
  t.same(recordExtents(record, extents)?.[1], {
    sector: 2,
    sectors: rest / 512,
    dataAt: BLOCK + 1024,
    crc: crc32(tagged(2, rest / 512)),
  });
  t.notOk(records.isFull);
  t.equal(records.add(1024, tagged(2, 2), map), 1024, 'the next one has room for all of it');
});

t.test('a record takes no more extents than its table has room for', async (t) => {
  const { records, map } = batch();
  for (let count = 1; count < MAX_EXTENTS; count++) records.addZeroes(count * 2, 1, map);
  t.notOk(records.isFull);
  records.add(0, tagged(1, 1), map);
  t.ok(records.isFull);
  const { record } = records.take();
  t.equal(recordExtents(record, MAX_EXTENTS)?.at(-1)?.crc, crc32(tagged(1, 1)));
});

t.test('a crc that is known is the extent’s, unless only a part of the data has room', async (t) => {
  const { records, map } = batch();
  const crcs: (number | undefined)[] = [];
  // A record with a wrong crc is damaged: what was computed by the primary is what counts.
  const known = crc32(tagged(9, 1));
  records.add(0, tagged(1, 1), map, known);
  t.equal(recordExtents(records.take().record, 1), undefined);
  records.add(0, tagged(9, 1), map, known);
  const taken = records.add(1, tagged(2, 1024), map, known);
  for (const { crc } of recordExtents(records.take().record, 2) ?? []) crcs.push(crc);
  t.same(crcs, [known, crc32(tagged(2, taken / 512))]);
});

t.test('a short record does not hold on to a long buffer, and a long one is not copied', async (t) => {
  const { records, map } = batch();
  records.add(0, tagged(1, 500), map);
  const short = records.take();
  t.equal(short.record.buffer.byteLength, short.record.length);
  records.add(500, tagged(2, 600), map);
  const long = records.take();
  t.equal(long.record.buffer.byteLength, MAX_RECORD_BYTES);
  t.equal(long.piece.bytes, long.record);
  records.add(1100, tagged(3, 600), map);
  records.take();
  t.same(new Set(tagsIn(map, 500)), new Set([1]));
  t.same(new Set(tagsIn(map, 1700).slice(500, 1100)), new Set([2]));
});

t.test('up to eight whole buffers are kept for use again', async (t) => {
  const buffers = new RecordBuffers();
  const given = Array.from({ length: 9 }, () => Buffer.allocUnsafeSlow(MAX_RECORD_BYTES));
  buffers.give(Buffer.allocUnsafeSlow(2 * BLOCK));
  for (const buffer of given) buffers.give(buffer.subarray(0, 70 * BLOCK));
  const taken = Array.from({ length: 9 }, () => buffers.take());
  const known = new Set<unknown>(given.map(({ buffer }) => buffer));
  t.same(
    taken.map(({ buffer, length }) => [known.has(buffer), length]),
    [...Array.from({ length: 8 }, () => [true, MAX_RECORD_BYTES]), [false, MAX_RECORD_BYTES]],
  );
  t.equal(new Set(taken.map(({ buffer }) => buffer)).size, 9, 'each is given to one user');
});
