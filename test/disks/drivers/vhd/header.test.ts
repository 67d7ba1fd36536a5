// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import { emptyLocator, isEmpty, isUsable, locatorSpace } from '../../../../src/disks/drivers/vhd/locator.js';

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const locators = [1, 2, 3].map((number) => ({
  code: 'MacX',
  dataSpace: 512 * number,
  dataLength: 100 + number,
  offset: 2 ** 33 + number * 4096,
}));

t.test('each field of a new header is where the format has it', async (t) => {
  const { bytes } = Header.create({
    tableOffset: 1536,
    entries: 77,
    blockBytes: 1 << 19,
    parentUuid: uuid,
    parentTimeStamp: 12_345,
    parentName: 'größe.vhd',
    locators,
  });
  const fields = new DataView(bytes.buffer);
  t.equal(bytes.length, 1024);
  t.equal(Buffer.from(bytes.subarray(0, 8)).toString(), 'cxsparse');
  t.ok(
    bytes.subarray(8, 16).every((byte) => byte === 0xff),
    'nothing follows',
  );
  t.equal(fields.getBigUint64(16), 1536n, 'table offset');
  t.equal(fields.getUint32(24), 0x0001_0000, 'version');
  t.equal(fields.getUint32(28), 77, 'entries');
  t.equal(fields.getUint32(32), 1 << 19, 'block size');
  t.equal(fields.getUint32(36), checksumOf(bytes, 36), 'checksum');
  t.same(bytes.subarray(40, 56), uuid);
  t.equal(fields.getUint32(56), 12_345, 'time stamp of the parent');
  t.equal(fields.getUint32(60), 0);
  const name = Buffer.from(bytes.subarray(64, 64 + 18))
    .swap16()
    .toString('utf16le');
  t.equal(name, 'größe.vhd', 'big-endian');
  t.equal(fields.getUint16(64 + 18), 0);
  for (const [index, { code, dataSpace, dataLength, offset }] of locators.entries()) {
    const at = 576 + 24 * index;
    t.equal(Buffer.from(bytes.subarray(at, at + 4)).toString(), code);
    t.same(
      [4, 8, 12].map((field) => fields.getUint32(at + field)),
      [dataSpace, dataLength, 0],
    );
    t.equal(fields.getBigUint64(at + 16), BigInt(offset));
  }
  t.ok(bytes.subarray(576 + 24 * 3).every((byte) => byte === 0));
});

t.test('a header has what it was made with, and keeps what is not changed', async (t) => {
  const parts = {
    tableOffset: 2 ** 40,
    entries: 2 ** 32 - 1,
    parentUuid: uuid,
    parentTimeStamp: 2 ** 32 - 1,
    parentName: 'a long name.vhd',
    locators,
  };
  const header = Header.create(parts);
  const { parentUuid, parentTimeStamp: _, ...visible } = parts;
  t.match(header, { ...visible, blockBytes: 2 << 20 });
  t.same(header.parentUuid, parentUuid);
  t.equal(header.problem(), undefined);
  t.same(header.locators, [...locators, ...Array(5).fill(emptyLocator)]);
  t.same(header.with({}).bytes, header.bytes);
  const renamed = header.with({ parentName: 'b', entries: 5, tableOffset: 512 });
  t.match(renamed, { parentName: 'b', entries: 5, tableOffset: 512, locators });
  t.equal(renamed.problem(), undefined);
  t.equal(header.parentName, 'a long name.vhd', 'the header itself stays as it is');
  t.equal(Header.create({}).parentName, '');
});

t.test('a name is cut to 256 units, and ends at its first zero', async (t) => {
  const long = named('x'.repeat(300));
  t.equal(long.parentName, 'x'.repeat(256));
  t.same(long.locators, Array(8).fill(emptyLocator), 'what follows it is left alone');
  t.equal(named('x'.repeat(256)).parentName.length, 256);
  t.equal(Header.create({ parentName: 'x'.repeat(256), locators }).parentName, 'x'.repeat(256));
});

function named(parentName: string): Header {
  return Header.create({ parentName });
}

t.test('blocks have 512 bytes to 2 MiB, and a power of two', async (t) => {
  const problem = (blockBytes: number): string | undefined =>
    Header.create({ tableOffset: 1536, entries: 1, blockBytes }).problem()?.problem;
  for (let size = 512; size <= 2 << 20; size *= 2) t.equal(problem(size), undefined);
  for (const size of [0, 1, 256, 511, 513, 768, (2 << 20) - 1, (2 << 20) + 512, 4 << 20])
    t.equal(problem(size), `${size}, expected a power of two from 512 to 2097152`);
});

t.test('all ones must follow the version, and nothing else', async (t) => {
  for (const at of [8, 15]) {
    const { bytes } = Header.create({});
    bytes[at] = 0xfe;
    const again = new Header(bytes).with({});
    t.match(again.problem(), { field: 'header next field' });
  }
  const { bytes } = Header.create({});
  bytes[20] = 1;
  t.match(new Header(bytes).problem(), { field: 'header checksum' });
});

t.test('every known code of a locator is taken, and three of them lead somewhere', async (t) => {
  const codes = ['\0\0\0\0', 'MacX', 'W2ku', 'W2ru', 'Wi2r', 'Wi2k', 'Mac '];
  for (const code of codes) {
    const locator = { code, dataSpace: 1, dataLength: 1, offset: 0 };
    t.equal(Header.create({ locators: [locator] }).problem(), undefined, code);
  }
  const all = codes.map((code) => ({ code, dataSpace: 1, dataLength: 1, offset: 0 }));
  t.same(all.map(isUsable), [false, true, true, true, false, false, false]);
  t.same(all.map(isEmpty), [true, false, false, false, false, false, false]);
  t.match(Header.create({ locators: [emptyLocator, { ...emptyLocator, code: 'Mac\0' }] }).problem(), {
    field: 'parent locator',
    problem: String.raw`its code "Mac\u0000" is unknown`,
  });
  t.equal(locatorSpace({ ...emptyLocator, dataSpace: 0 }), 0);
});
