// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { Footer, footerProblem, timeStampOf } from '../../../../src/disks/drivers/vhd/footer.js';
import { geometryOf, sectorsOf } from '../../../../src/disks/drivers/vhd/geometry.js';

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const GIB = 2 ** 30;

t.test('each field of a new footer is where the format has it', async (t) => {
  const footer = Footer.create({ type: 3, size: 10 << 20, dataOffset: 512, unixSeconds: 946_684_807, uuid });
  const fields = new DataView(footer.bytes.buffer);
  t.equal(footer.bytes.length, 512);
  t.equal(Buffer.from(footer.bytes.subarray(0, 8)).toString(), 'conectix');
  t.equal(fields.getUint32(8), 2, 'features');
  t.equal(fields.getUint32(12), 0x0001_0000, 'version');
  t.equal(fields.getBigUint64(16), 512n, 'data offset');
  t.equal(fields.getUint32(24), 7, 'seconds since 2000');
  t.equal(Buffer.from(footer.bytes.subarray(28, 32)).toString('latin1'), 'tap\0');
  t.equal(fields.getUint32(32), 0x0001_0003, 'creator version');
  t.equal(fields.getUint32(36), 0, 'host');
  t.equal(fields.getBigUint64(40), 10n << 20n, 'original size');
  t.equal(fields.getBigUint64(48), 10n << 20n, 'current size');
  t.same([...footer.bytes.subarray(56, 60)], [301 >> 8, 301 & 255, 4, 17], 'geometry');
  t.equal(fields.getUint32(60), 3, 'type');
  t.equal(fields.getUint32(64), checksumOf(footer.bytes, 64), 'checksum');
  t.same(footer.bytes.subarray(68, 84), uuid);
  t.ok(footer.bytes.subarray(84).every((byte) => byte === 0));
  t.match(footer, {
    cookie: 'conectix',
    features: 2,
    version: 0x0001_0000,
    dataOffset: 512,
    creator: 'tap\0',
    creatorVersion: 0x0001_0003,
    originalSize: 10 << 20,
    currentSize: 10 << 20,
    geometry: { cylinders: 301, heads: 4, sectorsPerTrack: 17 },
    type: 3,
    isHidden: false,
    isOfTap: true,
    sectors: 20_480,
  });
  t.equal(footerProblem(footer), undefined);
});

t.test('a fixed disk has no data offset', async (t) => {
  const footer = Footer.create({ type: 2, size: 512, unixSeconds: 0, uuid });
  t.ok(footer.bytes.subarray(16, 24).every((byte) => byte === 0xff));
});

t.test('a footer keeps what is not changed', async (t) => {
  const footer = Footer.create({ type: 4, size: GIB, dataOffset: 512, unixSeconds: 1e9, uuid });
  t.ok(footer.with({}).equals(footer));
  const moved = footer.with({ dataOffset: 4096 });
  t.match(moved, { dataOffset: 4096, currentSize: GIB, isHidden: false, geometry: footer.geometry });
  t.same(moved.uuid, uuid);
  const grown = footer.with({ currentSize: 2 * GIB });
  t.match(grown, { originalSize: GIB, currentSize: 2 * GIB, geometry: geometryOf((2 * GIB) / 512) });
  t.same(footer.with({ uuid: new Uint8Array(16).fill(9) }).uuid, new Uint8Array(16).fill(9));
  const hidden = footer.with({ hidden: true });
  t.ok(hidden.isHidden);
  t.same([footer.bytes[85], hidden.bytes[85]], [0, 1]);
  t.notOk(hidden.with({ hidden: false }).isHidden);
  t.notOk(hidden.equals(footer));
  for (const changed of [moved, grown, hidden]) t.equal(footerProblem(changed), undefined);
  t.notOk(footer.isHidden, 'the footer itself stays as it is');
});

t.test('what is no footer is said', async (t) => {
  const { bytes } = Footer.create({ type: 3, size: GIB, dataOffset: 512, unixSeconds: 1e9, uuid });
  const wrong = (at: number): string | undefined => {
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) + 1;
    return footerProblem(new Footer(changed));
  };
  t.equal(wrong(0), "the cookie is not 'conectix'");
  for (const at of [8, 50, 64, 67, 85, 511]) t.equal(wrong(at), 'the checksum is wrong');
});

t.test('the hidden byte of old versions of vhd-util is not in the checksum', async (t) => {
  const base = Footer.create({ type: 3, size: GIB, dataOffset: 512, unixSeconds: 1e9, uuid });
  const hiddenLater = (creator: string, version: number): boolean => {
    const bytes = base.bytes.slice();
    bytes.set(Buffer.from(creator, 'latin1'), 28);
    new DataView(bytes.buffer).setUint32(32, version);
    const sealed = new Footer(bytes).with({}).bytes.slice();
    sealed[85] = 1;
    return new Footer(sealed).hasValidChecksum;
  };
  t.ok(hiddenLater('tap\0', 0x0001_0001));
  t.ok(hiddenLater('tap\0', 1));
  t.notOk(hiddenLater('tap\0', 0x0001_0002));
  t.notOk(hiddenLater('tap\0', 0));
  t.notOk(hiddenLater('win ', 0x0001_0001));
});

t.test('time stamps are seconds since 2000, in 32 bits', async (t) => {
  t.equal(timeStampOf(946_684_800), 0);
  t.equal(timeStampOf(946_684_799), 0);
  t.equal(timeStampOf(946_684_801.9), 1);
  t.equal(timeStampOf(946_684_800 + 2 ** 32 - 1), 2 ** 32 - 1);
  t.equal(timeStampOf(946_684_800 + 2 ** 32 + 3), 3);
});

t.test('geometries change their shape where tapdisk changes it', async (t) => {
  const geometries: [sectors: number, cylinders: number, heads: number, perTrack: number][] = [
    [0, 0, 4, 17],
    [16, 0, 4, 17],
    [17 * 4, 1, 4, 17],
    // With 17 sectors a track: four heads up to 1024 cylinders, then more of them.
    [17 * 4 * 1024 - 1, 1023, 4, 17],
    [17 * 1024 * 4 + 17, 819, 5, 17],
    [17 * 1024 * 15 + 17, 960, 16, 17],
    [17 * 1024 * 16 - 1, 1023, 16, 17],
    // From there 31, then 63.
    [17 * 1024 * 16, 561, 16, 31],
    [31 * 1024 * 16 - 1, 1023, 16, 31],
    [31 * 1024 * 16, 503, 16, 63],
    [65_535 * 16 * 63 - 1, 65_534, 16, 63],
    [65_535 * 16 * 63, 16_191, 16, 255],
    [255 * 16 * 20_000 - 1, 19_999, 16, 255],
    [65_535 * 16 * 255, 65_535, 16, 255],
    [65_535 * 16 * 255 + 1, 65_535, 16, 255],
    [2 ** 40, 65_535, 16, 255],
  ];
  for (const [sectors, cylinders, heads, sectorsPerTrack] of geometries) {
    t.same(geometryOf(sectors), { cylinders, heads, sectorsPerTrack }, `${sectors} sectors`);
    t.ok(sectorsOf(geometryOf(sectors)) <= sectors);
  }
  t.equal(sectorsOf({ cylinders: 3, heads: 5, sectorsPerTrack: 7 }), 105);
});
