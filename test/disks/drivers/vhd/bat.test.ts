// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  alignedPlace,
  batBytes,
  batOf,
  batSector,
  blockShape,
  countAllocated,
  endOfBlocks,
  entriesFor,
  NOT_ALLOCATED,
} from '../../../../src/disks/drivers/vhd/bat.js';
import {
  BatmapHeader,
  batmapBytes,
  mayHaveBatmap,
  mustHaveBatmap,
} from '../../../../src/disks/drivers/vhd/batmap.js';
import { checkPlaces } from '../../../../src/disks/drivers/vhd/block-places.js';
import { Footer } from '../../../../src/disks/drivers/vhd/footer.js';

const shape = { sectors: 8, bitmapSectors: 1 };

t.test('a block is its bitmap, a sector at least, and its data', async (t) => {
  t.same(blockShape(2 << 20), { sectors: 4096, bitmapSectors: 1 });
  t.same(blockShape(512), { sectors: 1, bitmapSectors: 1 });
  t.same(blockShape(4 << 20), { sectors: 8192, bitmapSectors: 2 });
  t.same(
    [0, 1, 8, 9, 16].map((sectors) => entriesFor(sectors, shape)),
    [0, 1, 1, 2, 2],
  );
});

t.test('a BAT is padded to sectors, with zeroes after its last entry', async (t) => {
  t.same([1, 128, 129, 256].map(batBytes), [512, 512, 1024, 1024]);
  const entry = (index: number): number => 0x0102_0000 + index;
  const whole = batSector(entry, 200, 0);
  t.same([...whole.subarray(0, 8)], [1, 2, 0, 0, 1, 2, 0, 1]);
  t.same([...whole.subarray(508)], [1, 2, 0, 127]);
  const last = batSector(entry, 200, 1);
  t.same([...last.subarray(0, 4)], [1, 2, 0, 128]);
  t.same([...last.subarray(71 * 4, 73 * 4)], [1, 2, 0, 199, 0, 0, 0, 0]);
  t.same([...batOf(Uint8Array.of(0, 0, 1, 2, 0xff, 0xff, 0xff, 0xfe))], [258, 0xffff_fffe]);
});

t.test('new blocks go after all others, with their data on 4 KiB', async (t) => {
  const bat = Uint32Array.of(NOT_ALLOCATED, 20, NOT_ALLOCATED, 40, 10);
  t.equal(countAllocated(bat), 3);
  t.equal(endOfBlocks(bat, shape, 5), 49);
  t.equal(endOfBlocks(bat, shape, 48), 49);
  t.equal(endOfBlocks(bat, shape, 50), 50);
  t.equal(endOfBlocks(new Uint32Array(0), shape, 5), 5);
  t.same(
    [7, 8, 15, 16].map((sector) => alignedPlace(sector, shape)),
    [7, 15, 15, 23],
  );
  t.same(
    [6, 7].map((sector) => alignedPlace(sector, { sectors: 8192, bitmapSectors: 2 })),
    [6, 14],
  );
});

t.test('a block begins after the metadata, and ends before the data does', async (t) => {
  const limits = { metadataEnd: 10, dataEnd: 100, diskSectors: 1000 };
  const check = (place: number, changes: Partial<typeof limits> = {}): string => {
    const faults = checkPlaces(Uint32Array.of(place), shape, { ...limits, ...changes });
    return Object.entries(faults)
      .filter(([, blocks]) => blocks.length > 0)
      .map(([name]) => name)
      .join();
  };
  t.equal(check(9), 'early');
  t.equal(check(10), '');
  t.equal(check(91), '');
  t.equal(check(92), 'cut');
  t.equal(check(99), 'cut');
  t.equal(check(100), 'outside');
  t.equal(check(NOT_ALLOCATED), '');
  // Of the last block only what belongs to the disk has to be there.
  t.equal(check(96, { diskSectors: 3 }), '');
  t.equal(check(97, { diskSectors: 3 }), 'cut');
  t.equal(check(99, { diskSectors: 0 }), '');
});

t.test('blocks overlap when they share a sector, and no more than a hundred pairs are listed', async (t) => {
  const limits = { metadataEnd: 0, dataEnd: Number.POSITIVE_INFINITY, diskSectors: 1e6 };
  const overlapping = (...bat: number[]): unknown =>
    checkPlaces(Uint32Array.from(bat), shape, limits).overlapping;
  for (let distance = 0; distance < 30; distance++) {
    for (const start of [0, 4, 8, 9, 13, 17, 18, 2 ** 31 - 5, 2 ** 32 - 40]) {
      const expected = distance < 9 ? [[0, 1]] : [];
      t.same(overlapping(start, start + distance), expected, `${start} and ${distance} after it`);
      t.same(overlapping(start + distance, start), expected);
    }
  }
  t.equal((overlapping(...Array<number>(300).fill(9)) as unknown[]).length, 100);
});

t.test('a batmap has a bit for each block, and a checksum over what the disk uses', async (t) => {
  t.same([1, 4096, 4097].map(batmapBytes), [512, 512, 1024]);
  const header = BatmapHeader.create(4096, 4097);
  const fields = new DataView(header.bytes.buffer);
  t.equal(Buffer.from(header.bytes.subarray(0, 8)).toString(), 'tdbatmap');
  t.equal(fields.getBigUint64(8), 4096n);
  t.same(
    [16, 20, 24].map((at) => fields.getUint32(at)),
    [2, 0x0001_0002, 0xffff_ffff],
  );
  t.match(header, { hasCookie: true, offset: 4096, size: 1024, version: 0x0001_0002, hasKeyHash: false });
  header.bytes[29] = 1;
  t.ok(header.hasKeyHash);
  const used = (size: number): number =>
    header.usedBytes(Footer.create({ type: 3, size, unixSeconds: 1e9, uuid: new Uint8Array(16) }));
  const block = 2 << 20;
  const sizes = [512, block * 8 * 512, block * 8 * 512 + 512, block * 8 * 513, block * 8 * 1025];
  t.same(sizes.map(used), [512, 512, 512, 1024, 1536], 'a bit that only part of a byte has does not count');
});

t.test('version 1.1 of a batmap has bytes above 127 as negative ones in its checksum', async (t) => {
  const map = Uint8Array.of(0xff, 1, 0x80, 127);
  const withChecksum = (version: number, checksum: number): BatmapHeader => {
    const header = BatmapHeader.create(0, 32);
    const fields = new DataView(header.bytes.buffer);
    fields.setUint32(20, version);
    fields.setUint32(24, checksum);
    return header;
  };
  const unsigned = ~(0xff + 1 + 0x80 + 127) >>> 0;
  const signed = ~(-1 + 1 - 128 + 127) >>> 0;
  t.ok(withChecksum(0x0001_0001, signed).hasValidChecksum(map));
  t.ok(withChecksum(0x0001_0001, unsigned).hasValidChecksum(map));
  t.notOk(withChecksum(0x0001_0002, signed).hasValidChecksum(map));
  t.ok(withChecksum(0x0001_0002, unsigned).hasValidChecksum(map));
  const positive = Uint8Array.of(0xff, 127);
  t.ok(withChecksum(0x0001_0001, ~(-1 + 127) >>> 0).hasValidChecksum(positive));
  const empty = withChecksum(0x0001_0001, 5).withEmptyMap();
  t.ok(empty.hasValidChecksum(new Uint8Array(512)));
  t.match(empty, { version: 0x0001_0002, hasCookie: true });
});

t.test('only images of tapdisk have a batmap, from version 1.1 maybe, from 1.2 for sure', async (t) => {
  const base = Footer.create({ type: 3, size: 512, unixSeconds: 1e9, uuid: new Uint8Array(16) });
  const of = (creator: string, version: number): [may: boolean, must: boolean] => {
    const bytes = base.bytes.slice();
    bytes.set(Buffer.from(creator, 'latin1'), 28);
    new DataView(bytes.buffer).setUint32(32, version);
    return [mayHaveBatmap(new Footer(bytes)), mustHaveBatmap(new Footer(bytes))];
  };
  t.same(of('tap\0', 0x0001_0000), [false, false]);
  t.same(of('tap\0', 0x0001_0001), [true, false]);
  t.same(of('tap\0', 0x0001_0002), [true, true]);
  t.same(of('tap\0', 0x0001_0003), [true, true]);
  t.same(of('win ', 0x0001_0003), [false, false]);
});
