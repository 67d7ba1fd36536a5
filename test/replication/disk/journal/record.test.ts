// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import { Fields } from '../../../../src/replication/disk/format/fields.js';
import {
  hasTableCrc,
  MAX_EXTENTS,
  MAX_RECORD_BYTES,
  openRecordHeader,
  putExtent,
  type RecordExtent,
  recordExtents,
  type RecordHeader,
  recordLength,
  sealRecord,
} from '../../../../src/replication/disk/journal/record.js';

const HEADER: RecordHeader = {
  kind: 'data',
  segment: 2 ** 33,
  number: 4,
  checkpoint: 2 ** 34,
  extents: 3,
  bytes: 8192,
};
const SEAL = { salt: 0x1234_5678, chain: 0x9abc_def0 };

/** A record of two ranges with data and one of zeroes between them. */
function someRecord(): { record: Buffer; extents: RecordExtent[]; chain: number } {
  const record = Buffer.alloc(8192);
  record.fill(1, 4096, 5120);
  record.fill(2, 5120, 5632);
  const extents = [
    { sector: 7, sectors: 2, dataAt: 4096, crc: crc32(record.subarray(4096, 5120)) },
    { sector: 2 ** 40, sectors: 99, dataAt: -1, crc: 0 },
    { sector: 50, sectors: 1, dataAt: 5120, crc: crc32(record.subarray(5120, 5632)) },
  ];
  for (const [index, extent] of extents.entries()) putExtent(record, index, extent);
  return { record, extents, chain: sealRecord(record, HEADER, SEAL) };
}

t.test('a record is a block, and its data in whole blocks', async (t) => {
  t.same([0, 1, 4096, 4097].map(recordLength), [4096, 8192, 8192, 12_288]);
  t.equal(MAX_EXTENTS, 252);
  t.equal(MAX_RECORD_BYTES, 4096 + 512 * 1024);
});

t.test('a record is read as it was written', async (t) => {
  const { record, extents, chain } = someRecord();
  const opened = openRecordHeader(record.subarray(0, 4096), SEAL);
  t.same(opened?.header, HEADER);
  t.equal(opened?.chain, chain);
  t.ok(hasTableCrc(record, opened?.tableCrc ?? 0));
  t.same(recordExtents(record, 3), extents);
  t.same(recordExtents(record, 2), extents.slice(0, 2));
  const inside = Buffer.concat([Buffer.alloc(512), record]).subarray(512);
  t.same(recordExtents(inside, 3), extents, 'wherever it is in memory');
  const abort: RecordHeader = { ...HEADER, kind: 'abort', extents: 0, bytes: 4096 };
  const block = new Uint8Array(4096);
  sealRecord(block, abort, SEAL);
  t.same(openRecordHeader(block, SEAL)?.header, abort);
});

t.test('a record vouches for the one before it, and for its segment', async (t) => {
  const { record, chain } = someRecord();
  t.equal(openRecordHeader(record, { ...SEAL, chain: 1 }), undefined, 'after another record');
  t.equal(openRecordHeader(record, { ...SEAL, salt: 1 }), undefined, 'in another segment');
  const other = Buffer.from(record);
  t.not(sealRecord(other, HEADER, { ...SEAL, chain: 1 }), chain);
});

t.test('no byte of the header, the table or the data can change unnoticed', async (t) => {
  const { record } = someRecord();
  const isSound = (bytes: Buffer): boolean => {
    const opened = openRecordHeader(bytes, SEAL);
    return (
      opened !== undefined && hasTableCrc(bytes, opened.tableCrc) && recordExtents(bytes, 3) !== undefined
    );
  };
  t.ok(isSound(record));
  const unnoticed: number[] = [];
  for (let at = 0; at < 5632; at += at < 112 ? 1 : 37) {
    const changed = Buffer.from(record);
    changed[at] = (changed[at] as number) ^ 0x10;
    if (isSound(changed)) unnoticed.push(at);
  }
  t.same(
    unnoticed.filter((at) => at < 52 || at >= 64),
    [],
    'but in the unused end of the header',
  );
});

t.test('a header that is sound, and impossible, is none', async (t) => {
  const opens = (change: Partial<RecordHeader>): boolean => {
    const block = new Uint8Array(4096);
    sealRecord(block, { ...HEADER, ...change }, SEAL);
    return openRecordHeader(block, SEAL) !== undefined;
  };
  t.ok(opens({ extents: MAX_EXTENTS, bytes: MAX_RECORD_BYTES }));
  t.notOk(opens({ extents: MAX_EXTENTS + 1 }));
  t.notOk(opens({ bytes: MAX_RECORD_BYTES + 4096 }));
  t.notOk(opens({ bytes: 4097 }));
  t.notOk(opens({ bytes: 0 }));
  t.notOk(opens({ kind: 'neither' as never }));
  t.equal(openRecordHeader(new Uint8Array(4096), SEAL), undefined);
});

t.test('an extent whose data would be after the record makes it unsound', async (t) => {
  const record = Buffer.alloc(4096 + 512);
  const data = { sector: 0, sectors: 1, dataAt: 4096, crc: crc32(record.subarray(4096)) };
  putExtent(record, 0, data);
  t.same(recordExtents(record, 1), [data]);
  putExtent(record, 0, { ...data, sectors: 2 });
  t.equal(recordExtents(record, 1), undefined);
});

t.test('what is in the header is where the documentation says', async (t) => {
  const { record } = someRecord();
  const fields = new Fields(record);
  t.equal(fields.getText(4), 'TDRR');
  t.same([fields.getU32(), fields.getU64(), fields.getU64(), fields.getU64()], [1, 2 ** 33, 4, 2 ** 34]);
  t.same([fields.getU32(), fields.getU32(), fields.getU32()], [3, 8192, SEAL.salt]);
  t.equal(fields.getU32(), crc32(record.subarray(64, 4096)));
  t.equal(fields.getU32(), crc32(record.subarray(0, 48), SEAL.chain));
});
