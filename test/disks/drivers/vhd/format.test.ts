// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { checksumOf } from '../../../../src/disks/drivers/vhd/bytes.js';
import { checkPlaces } from '../../../../src/disks/drivers/vhd/block-places.js';
import { Footer, timeStampOf } from '../../../../src/disks/drivers/vhd/footer.js';
import { geometryOf } from '../../../../src/disks/drivers/vhd/geometry.js';
import { Header } from '../../../../src/disks/drivers/vhd/header.js';
import { locatorPaths, locatorSpace, locatorText } from '../../../../src/disks/drivers/vhd/locator.js';
import { closeDisk, imageDirectory, openDisk, readDisk, writeDisk } from './fixture.js';
import { imageBytes } from './new-chain.js';

const directory = imageDirectory(t);
const parts = { uuid: new Uint8Array(16).fill(1), unixSeconds: 1e9 };

function put(name: string, bytes: Uint8Array): string {
  const file = path.join(directory, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
}

/** An image whose footers, both of them, are changed, with right checksums. */
function withFooters(change: (fields: DataView, bytes: Uint8Array) => void): Uint8Array {
  const image = imageBytes({ size: 1 << 20, ...parts });
  for (const at of [0, image.length - 512]) {
    const bytes = image.subarray(at, at + 512);
    const fields = new DataView(image.buffer, at, 512);
    change(fields, bytes);
    fields.setUint32(64, checksumOf(bytes, 64));
  }
  return image;
}

t.test('times are whole seconds since 2000', async (t) => {
  t.equal(timeStampOf(Date.UTC(2000, 0, 1) / 1000 + 5.9), 5);
  t.equal(timeStampOf(Date.UTC(2026, 0, 1) / 1000), 820_540_800);
  t.equal(timeStampOf(0), 0, 'and none before');
});

t.test('the geometry of a disk is that which tapdisk writes', async (t) => {
  const geometries: [sectors: number, cylinders: number, heads: number, perTrack: number][] = [
    [20_480, 301, 4, 17],
    [65_535 * 16 * 63 - 1, 65_534, 16, 63],
    [65_535 * 16 * 63, 16_191, 16, 255],
    [2 ** 33, 65_535, 16, 255],
  ];
  for (const [sectors, cylinders, heads, sectorsPerTrack] of geometries) {
    t.same(geometryOf(sectors), { cylinders, heads, sectorsPerTrack }, `${sectors} sectors`);
  }
});

t.test('a footer of 511 bytes at the end counts', async (t) => {
  const image = imageBytes({ size: 1 << 20, ...parts });
  const file = put('511.vhd', image.subarray(0, image.length - 1));
  const disk = await openDisk(file, { readOnly: true });
  const [leaf] = disk.chain;
  t.match(leaf, { image: { endFooterBytes: 511 } });
  await closeDisk(disk);
  const writer = await openDisk(file);
  t.equal(await writeDisk(writer, 5, Buffer.alloc(512, 1)), 0);
  await closeDisk(writer);
  const again = await openDisk(file, { readOnly: true });
  t.match(again.chain[0], { image: { endFooterBytes: 512 } });
  t.same(await readDisk(again, 5, 1), Buffer.alloc(512, 1));
  await closeDisk(again);
});

t.test('a file of nothing but a footer is a disk without sectors', async (t) => {
  const { bytes } = Footer.create({ type: 2, size: 0, ...parts });
  for (const length of [512, 511]) {
    const disk = await openDisk(put(`only-${length}.vhd`, bytes.subarray(0, length)), { readOnly: true });
    t.match(disk, { sectors: 0, chain: [{ image: { endFooterBytes: length } }] });
    await closeDisk(disk);
  }
  const shorter = put('only-510.vhd', bytes.subarray(0, 510));
  await t.rejects(openDisk(shorter, { readOnly: true }), /bad-footer: .* the file has only 510 bytes/);
});

t.test('an old image hidden without a new checksum opens, no other with a wrong one', async (t) => {
  for (const [version, opens] of [
    [0x1_0001, true],
    [0x1_0003, false],
  ] as const) {
    const image = withFooters((fields) => fields.setUint32(32, version));
    for (const at of [0, image.length - 512]) image[at + 85] = 1;
    const file = put(`hidden-${version}.vhd`, image);
    if (opens) await closeDisk(await openDisk(file, { readOnly: true }));
    else await t.rejects(openDisk(file, { readOnly: true }), /bad-footer/);
  }
});

t.test('unknown versions, types and sizes are refused', async (t) => {
  const cases: [name: string, image: Uint8Array, error: RegExp][] = [
    ['tap 0.1', withFooters((fields) => fields.setUint32(32, 1)), /unsupported: creator version: tap 0x1, /],
    ['version 2', withFooters((fields) => fields.setUint32(12, 0x2_0000)), /unsupported: footer version/],
    ['type 0', withFooters((fields) => fields.setUint32(60, 0)), /unsupported: disk type: 0/],
    ['data offset', withFooters((fields) => fields.setUint32(20, 0x7fff_0000)), /bad-header: data offset/],
    [
      'huge',
      withFooters((fields) => fields.setUint32(48, 0x7fff_ffff)),
      /bad-header: BAT entries: 1, but the disk/,
    ],
  ];
  for (const [name, image, error] of cases) {
    await t.rejects(openDisk(put(`${name}.vhd`, image), { readOnly: true }), error, name);
  }
});

t.test('each wrong field of a header is named', async (t) => {
  const header = Header.create({ tableOffset: 1536, entries: 1 });
  const wrong = (at: number, value: number): unknown => {
    const bytes = header.bytes.slice();
    const fields = new DataView(bytes.buffer);
    fields.setUint32(at, value);
    fields.setUint32(36, checksumOf(bytes, 36));
    return new Header(bytes).problem()?.field;
  };
  t.equal(header.problem(), undefined);
  t.equal(wrong(0, 0), 'header cookie');
  t.equal(wrong(8, 0), 'header next field');
  t.equal(wrong(24, 0x2_0000), 'header version');
  for (const size of [0, 256, 3 << 20, 4 << 20, 0x8000_0000]) t.equal(wrong(32, size), 'block size');
  t.equal(wrong(576, 0x4142_4344), 'parent locator');
});

t.test('paths are derived from the texts of locators', async (t) => {
  const windows = (text: string): Uint8Array => Buffer.from(text, 'utf16le');
  t.same(locatorPaths('MacX', Buffer.from('file://./a b.vhd')), ['./a b.vhd']);
  t.same(locatorPaths('MacX', Buffer.from('file:///srv/a.vhd\0\0')), ['/srv/a.vhd']);
  t.same(locatorPaths('MacX', Buffer.from('file://localhost/srv/a.vhd')), ['/srv/a.vhd']);
  t.same(locatorPaths('MacX', Buffer.from('file://./a%20b.vhd')), ['./a%20b.vhd', './a b.vhd']);
  t.same(locatorPaths('MacX', Buffer.from('file://./100%.vhd')), ['./100%.vhd']);
  t.same(locatorPaths('MacX', Buffer.from('file://./größe.vhd')), ['./größe.vhd']);
  t.same(locatorPaths('W2ku', windows('C:\\vm\\größe.vhd')), ['/vm/größe.vhd']);
  t.same(locatorPaths('W2ru', windows('..\\a.vhd\0')), ['../a.vhd']);
  t.same(locatorPaths('W2ru', new Uint8Array(0)), []);
  t.same(locatorPaths('MacX', Buffer.from('file://')), []);
  t.same(locatorPaths('W2ru', locatorText('W2ru', './x/ä.vhd')), ['./x/ä.vhd']);
  const entry = { code: 'MacX', dataLength: 0, offset: 0 };
  t.same(
    [2, 511, 512, 1024].map((dataSpace) => locatorSpace({ ...entry, dataSpace })),
    [1024, 261_632, 512, 1024],
  );
});

t.test('unknown bytes of a footer are kept', async (t) => {
  const bytes = Footer.create({ type: 3, size: 1 << 20, dataOffset: 512, ...parts }).bytes.slice();
  bytes[300] = 7;
  const changed = new Footer(bytes).with({ currentSize: 2 << 20, hidden: true });
  t.equal(changed.bytes[300], 7);
  t.ok(changed.hasValidChecksum);
  t.match(changed, { currentSize: 2 << 20, originalSize: 1 << 20, isHidden: true });
});

t.test('overlapping blocks are found wherever they are, and only they', async (t) => {
  const shape = { sectors: 8, bitmapSectors: 1 };
  const limits = { metadataEnd: 5, dataEnd: Number.POSITIVE_INFINITY, diskSectors: 1e9 };
  const bat = Uint32Array.from({ length: 10_000 }, (_, block) => 5 + ((block * 7919) % 10_000) * 9);
  t.same(checkPlaces(bat, shape, limits).overlapping, []);
  bat[77] = (bat[4000] ?? 0) + 8;
  t.match(checkPlaces(bat, shape, limits).overlapping, [[Number, Number]]);
  bat[77] = 0xffff_ffff;
  t.same(checkPlaces(bat, shape, limits).overlapping, []);
  bat[78] = 4;
  t.same(checkPlaces(bat, shape, limits).early, [78]);
  bat[78] = 2 ** 32 - 2;
  t.same(checkPlaces(bat, shape, { ...limits, dataEnd: 2 ** 31 }).outside, [78]);
});
