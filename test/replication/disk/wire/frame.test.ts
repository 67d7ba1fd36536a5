// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { crc32 } from '../../../../src/replication/disk/format/crc32.js';
import {
  checkFrame,
  extentsBody,
  FRAME_HEADER_BYTES,
  FRAME_TYPES,
  type FrameName,
  frameHeader,
  MAX_FRAME_DATA,
  MAX_FRAME_SECTORS,
  numbersBody,
  readExtents,
  readFrameHeader,
  readNumbers,
} from '../../../../src/replication/disk/wire/frame.js';

const NAMES = Object.keys(FRAME_TYPES) as FrameName[];
const WITH_TABLE = ['write', 'syncData', 'compare'];
const protocolError = (message: RegExp) => ({ name: 'ProtocolError', message });
const DISK = 1_000_000;

t.test('a header is laid out as documented', async (t) => {
  const body = Buffer.from('abc');
  const header = Buffer.from(frameHeader('commit', 0x1_0000_0002, [body]));
  t.equal(header.length, 24);
  t.equal(
    header.toString('hex', 0, 20),
    ['03000000', '0300', '0000', '0200000001000000', '00000000'].join(''),
  );
  t.equal(header.readUInt32LE(20), crc32(Buffer.concat([header.subarray(0, 20), body])));
  t.same(
    NAMES.map((name) => frameHeader(name, 0, [])[4]),
    Array.from({ length: 16 }, (_, index) => index + 1),
    'types are numbered from 1',
  );
});

for (const name of NAMES) {
  t.test(`a frame ${name} is read as it was written`, async (t) => {
    const parts = extentsBody([{ sector: 5, sectors: 1, data: Buffer.alloc(512, 3) }]);
    const header = frameHeader(name, 77, parts);
    const read = readFrameHeader(header);
    t.match(read, { name, length: 8 + 16 + 512, sequence: 77 });
    const body = Buffer.concat(parts);
    checkFrame(header, read, body);
    const damaged = Buffer.from(body);
    damaged[9] = 1;
    t.throws(() => checkFrame(header, read, damaged), protocolError(new RegExp(`${name} is damaged`)));
    damaged.set(body);
    damaged[30] = 1;
    const check = (): void => checkFrame(header, read, damaged);
    if (WITH_TABLE.includes(name)) t.doesNotThrow(check, 'data have crcs of their own');
    else t.throws(check, protocolError(/damaged/));
    const other = Buffer.from(header);
    other[8] = 78;
    t.throws(() => checkFrame(other, read, body), protocolError(/damaged/), 'the header is covered');
  });
}

t.test('an unknown type, or a body of more than 1 MiB + 64 KiB, is refused by the header', async (t) => {
  const header = Buffer.from(frameHeader('write', 0, []));
  const withField = (at: number, value: number): Buffer => {
    const changed = Buffer.from(header);
    changed.writeUInt32LE(value, at);
    return changed;
  };
  for (const type of [0, 17, 2 + 65_536])
    t.throws(() => readFrameHeader(withField(4, type)), protocolError(new RegExp(`unknown type ${type}`)));
  const most = (1 << 20) + (64 << 10);
  t.equal(readFrameHeader(withField(0, most)).length, most);
  t.throws(() => readFrameHeader(withField(0, most + 1)), protocolError(/at most 1114112/));
  t.equal(FRAME_HEADER_BYTES, 24);
  t.equal(MAX_FRAME_DATA, 1 << 20);
});

t.test('extents are read as they were written, zeroes without data', async (t) => {
  const data = Buffer.alloc(1024, 7);
  const parts = extentsBody([
    { sector: 3, sectors: 2, data },
    { sector: 2 ** 33, sectors: 9, data: undefined },
    { sector: 4, sectors: 1, data: data.subarray(0, 512) },
  ]);
  t.equal(parts.length, 3, 'the table, and the data as they are');
  t.equal(parts[1], data);
  const body = Buffer.concat(parts);
  t.equal(body.toString('hex', 0, 8), ['03000000', '00000000'].join(''));
  const read = readExtents(body, 2 ** 34);
  t.same(
    read.map(({ sector, sectors, crc }) => ({ sector, sectors, crc })),
    [
      { sector: 3, sectors: 2, crc: crc32(data) },
      { sector: 2 ** 33, sectors: 9, crc: 0 },
      { sector: 4, sectors: 1, crc: crc32(data.subarray(0, 512)) },
    ],
  );
  t.ok(read[0]?.data && data.equals(read[0].data));
  t.equal(read[1]?.data, undefined);
  t.equal(read[2]?.data?.length, 512);
  t.same(readExtents(Buffer.concat(extentsBody([])), 10), []);
  t.same(
    readExtents(Buffer.concat([Buffer.alloc(3), body]).subarray(3), 2 ** 34).length,
    3,
    'anywhere in memory',
  );
});

t.test('an extent may have data of another length than its sectors', async (t) => {
  const sum = Buffer.alloc(32, 5);
  const [read] = readExtents(Buffer.concat(extentsBody([{ sector: 0, sectors: 128, data: sum }])), DISK, 32);
  t.match(read, { sector: 0, sectors: 128 });
  t.ok(read?.data && sum.equals(read.data));
});

t.test('extents that do not fit the disk or the frame are refused', async (t) => {
  const data = Buffer.alloc(512, 1);
  const bodyOf = (sector: number, sectors: number, its?: Buffer): Buffer =>
    Buffer.concat(extentsBody([{ sector, sectors, data: its }]));
  const refused = (body: Uint8Array, why: RegExp): void => {
    t.throws(() => readExtents(body, DISK), protocolError(why));
  };
  refused(bodyOf(5, 0), /0 sectors at 5 are not within/);
  refused(bodyOf(DISK, 1, data), /not within the disk's 1000000/);
  refused(bodyOf(DISK - 1, 2), /not within/);
  t.equal(readExtents(bodyOf(DISK - 1, 1, data), DISK).length, 1, 'the last sector is');
  refused(bodyOf(0, 2, data), /does not fit its frame/);
  refused(Buffer.concat([bodyOf(0, 1, data), Buffer.alloc(1)]), /1 bytes after the data/);
  refused(bodyOf(0, 1).subarray(0, 23), /a table of 1 extents does not fit/);
  refused(new Uint8Array(7), /does not fit/);
  t.same(readExtents(new Uint8Array(8), DISK), []);
  const damaged = bodyOf(0, 1, data);
  damaged[24] = 9;
  refused(damaged, /1 sectors at 0 is damaged/);
});

t.test('a frame covers 1 GiB at most', async (t) => {
  t.equal(MAX_FRAME_SECTORS * 512, 1 << 30);
  const zeroes = (...sectors: number[]): Buffer =>
    Buffer.concat(extentsBody(sectors.map((count) => ({ sector: 0, sectors: count, data: undefined }))));
  t.equal(readExtents(zeroes(MAX_FRAME_SECTORS - 1, 1), 2 ** 40).length, 2);
  t.throws(() => readExtents(zeroes(MAX_FRAME_SECTORS, 1), 2 ** 40), protocolError(/more than 2097152/));
});

t.test('a body of numbers has as many as are expected, each below 2^53', async (t) => {
  t.same(readNumbers(numbersBody(0, 2 ** 53 - 1, 2 ** 32), 3), [0, 2 ** 53 - 1, 2 ** 32]);
  t.equal(numbersBody(1, 2).length, 16);
  t.throws(() => readNumbers(numbersBody(1), 2), protocolError(/has 8 bytes, expected 16/));
  t.throws(() => readNumbers(new Uint8Array(9), 1), protocolError(/has 9 bytes, expected 8/));
  const large = Buffer.alloc(8);
  large.writeBigUInt64LE(2n ** 53n);
  t.throws(() => readNumbers(large, 1), protocolError(/out of range/));
});
