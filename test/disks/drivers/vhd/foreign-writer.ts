// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Random } from '../../../../src/testing/index.js';
import { randomBytes } from '../../../random.js';

// Writes VHDs in the many ways in which programs do. It shares nothing with the driver, so that a misreading of the format
// is not made twice.

const SECTOR = 512;

/** An image as some program may have written it. */
export interface ForeignImage {
  readonly kind: 'fixed' | 'dynamic' | 'differencing';
  /** Of the disk, in bytes; need not be whole sectors. */
  readonly size: number;
  readonly blockSectors: number;
  /** What it has itself: a number for each of these sectors. */
  readonly content: ReadonlyMap<number, number>;
  readonly uuid: Buffer;
  readonly creator: string;
  readonly creatorVersion: number;
  readonly parent?: ForeignParent;
}

/** How an image speaks of its parent. */
export interface ForeignParent {
  /** Zeroes: a raw file. */
  readonly uuid: Buffer;
  readonly name: string;
  readonly locators: readonly ForeignLocator[];
}

export interface ForeignLocator {
  readonly code: string;
  readonly text: Buffer;
}

/** A sector that is all of one number. */
export function sectorOf(tag: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  for (let at = 0; at < SECTOR; at += 4) bytes.writeUInt32LE(tag, at);
  return bytes;
}

/** Makes the checksum of a footer, a header or a batmap. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return ~sum >>> 0;
}

/** The same bytes with the checksum, which is at `at`, made right. */
export function sealed(bytes: Buffer, at: number): Buffer {
  bytes.writeUInt32BE(0, at);
  bytes.writeUInt32BE(checksum(bytes), at);
  return bytes;
}

function footerOf(image: ForeignImage, dataOffset: number | undefined, random: Random): Buffer {
  const footer = Buffer.alloc(SECTOR);
  footer.write('conectix', 0, 'latin1');
  // Bit 0 is set for a temporary disk; bit 1 by all who follow the standard.
  footer.writeUInt32BE(random.pick([2, 2, 3, 0]), 8);
  footer.writeUInt32BE(0x1_0000, 12);
  footer.writeBigUInt64BE(dataOffset === undefined ? 0xffff_ffff_ffff_ffffn : BigInt(dataOffset), 16);
  footer.writeUInt32BE(random.word() >>> 0, 24);
  footer.write(image.creator, 28, 'latin1');
  footer.writeUInt32BE(image.creatorVersion, 32);
  footer.write(random.pick(['Wi2k', 'Mac ', '\0\0\0\0']), 36, 'latin1');
  // Where a disk was made larger the first one is left as it was; the geometry is anybody's.
  footer.writeBigUInt64BE(BigInt(random.pick([image.size, 0, 1 << 20])), 40);
  footer.writeBigUInt64BE(BigInt(image.size), 48);
  footer.writeUInt32BE(random.pick([random.word() >>> 0, 0]), 56);
  footer.writeUInt32BE({ fixed: 2, dynamic: 3, differencing: 4 }[image.kind], 60);
  image.uuid.copy(footer, 68);
  footer[84] = random.pick([0, 0, 1]);
  footer[85] = random.pick([0, 0, 1]);
  if (random.chance(0.2)) randomBytes(random, 100).copy(footer, random.integer(86, 400));
  return sealed(footer, 64);
}

/** Where the parts of an image lie. */
class Layout {
  readonly parts: [position: number, bytes: Buffer][] = [];
  end = 0;

  constructor(start: number) {
    this.end = start;
  }

  /** Sectors for a part, behind what there is, maybe after a gap. */
  place(bytes: number, gap: number, alignment = SECTOR): number {
    const at = Math.ceil((this.end + gap * SECTOR) / alignment) * alignment;
    this.end = at + Math.ceil(bytes / SECTOR) * SECTOR;
    return at;
  }

  put(position: number, bytes: Buffer): void {
    this.parts.push([position, bytes]);
    this.end = Math.max(this.end, Math.ceil((position + bytes.length) / SECTOR) * SECTOR);
  }

  /** The whole, with garbage in all gaps. */
  bytes(random: Random, length: number): Buffer {
    const whole = random.chance(0.5) ? Buffer.alloc(length) : Buffer.alloc(length, 0xa5);
    for (const [position, bytes] of this.parts) bytes.copy(whole, position);
    return whole;
  }
}

export function fixedImage(image: ForeignImage, random: Random): Buffer {
  const sectors = Math.floor(image.size / SECTOR);
  const data = Array.from({ length: sectors }, (_, sector) => sectorOf(image.content.get(sector) ?? 0));
  return Buffer.concat([...data, footerOf(image, undefined, random)]);
}

/** How the footer is: at both ends, or as a program leaves it that was killed, or one of 1997 has it. */
export type Ends = 'both' | 'only head' | 'overwritten end' | 'only end' | 'short end' | 'old copy';

export function sparseImage(image: ForeignImage, ends: Ends, random: Random): Buffer {
  const layout = new Layout(SECTOR);
  const gap = (): number => random.pick([0, 0, 0, random.integer(1, 9)]);
  const headerAt = layout.place(1024, gap());
  const needed = Math.ceil(Math.floor(image.size / SECTOR) / image.blockSectors);
  const entries = needed + random.pick([0, 0, 1, random.integer(2, 300)]);
  const tableAt = layout.place(entries * 4, gap());
  const table = Buffer.alloc(Math.ceil((entries * 4) / SECTOR) * SECTOR, random.pick([0, 0xff]));
  table.fill(0xff, 0, entries * 4);
  const hasBatmap = image.creator === 'tap\0' && (image.creatorVersion >= 0x1_0002 || random.chance(0.5));
  const batmapAt = tableAt + table.length;
  if (hasBatmap) layout.end = batmapAt + SECTOR;
  const mapAt = hasBatmap ? layout.place(Math.ceil(entries / 8), gap()) : 0;
  const map = Buffer.alloc(Math.ceil(entries / 8 / SECTOR) * SECTOR);
  const header = headerOf(image, tableAt, entries);
  placeLocators(image, header, layout, random);
  layout.put(headerAt, sealed(header, 36));
  placeBlocks(image, layout, table, map, random);
  layout.put(tableAt, table);
  if (hasBatmap) putBatmap(image, layout, { batmapAt, mapAt, map }, random);
  const footer = footerOf(image, headerAt, random);
  return withEnds(layout, footer, ends, random);
}

function withEnds(layout: Layout, footer: Buffer, ends: Ends, random: Random): Buffer {
  const copy = Buffer.from(footer);
  if (ends === 'only end') copy[random.integer(0, 80)]! ^= 0xff;
  if (ends === 'old copy') {
    copy.writeBigUInt64BE(512n, 48);
    sealed(copy, 64);
  }
  layout.put(0, copy);
  const end = layout.end + random.pick([0, 0, 7]) * SECTOR;
  const bytes = layout.bytes(random, end);
  if (ends === 'only head') return bytes;
  if (ends === 'overwritten end') return Buffer.concat([bytes, Buffer.alloc(SECTOR, 0xc7)]);
  return Buffer.concat([bytes, ends === 'short end' ? footer.subarray(0, 511) : footer]);
}

function headerOf(image: ForeignImage, tableAt: number, entries: number): Buffer {
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 0, 'latin1');
  header.fill(0xff, 8, 16);
  header.writeBigUInt64BE(BigInt(tableAt), 16);
  header.writeUInt32BE(0x1_0000, 24);
  header.writeUInt32BE(entries, 28);
  header.writeUInt32BE(image.blockSectors * SECTOR, 32);
  if (image.parent) {
    image.parent.uuid.copy(header, 40);
    // Of a parent that was changed since: nobody compares it.
    header.writeUInt32BE(12_345, 56);
    Buffer.from(image.parent.name, 'utf16le').swap16().copy(header, 64, 0, 512);
  }
  return header;
}

function placeLocators(image: ForeignImage, header: Buffer, layout: Layout, random: Random): void {
  for (const [index, { code, text }] of (image.parent?.locators ?? []).entries()) {
    const space = Math.max(1, Math.ceil(text.length / SECTOR)) + random.pick([0, 0, 1]);
    const at = layout.place(space * SECTOR, 0);
    const entry = 576 + index * 24;
    header.write(code, entry, 'latin1');
    // The standard counts sectors, and most write bytes.
    header.writeUInt32BE(random.chance(0.5) ? space : space * SECTOR, entry + 4);
    header.writeUInt32BE(text.length, entry + 8);
    header.writeBigUInt64BE(BigInt(at), entry + 16);
    layout.put(at, text);
  }
}

/** Blocks lie in any order, with gaps; what is under clear bits is garbage. */
function placeBlocks(image: ForeignImage, layout: Layout, table: Buffer, map: Buffer, random: Random): void {
  const { blockSectors, content } = image;
  const sectors = Math.floor(image.size / SECTOR);
  const bitmapBytes = Math.ceil(blockSectors / 8 / SECTOR) * SECTOR;
  const blocks = new Set([...content.keys()].map((sector) => Math.floor(sector / blockSectors)));
  // Blocks without a bit set are there too.
  if (random.chance(0.3)) blocks.add(random.integer(0, Math.ceil(sectors / blockSectors) - 1));
  const order = [...blocks].toSorted(() => random.fraction() - 0.5);
  for (const block of order) {
    const first = block * blockSectors;
    const bitmap = Buffer.alloc(bitmapBytes);
    // The last block may be cut off where the disk ends.
    const used = Math.min(blockSectors, sectors - first);
    const isLast = block === order.at(-1) && random.chance(0.5);
    const data = Buffer.alloc((isLast ? used : blockSectors) * SECTOR, 0xee);
    for (let sector = 0; sector < used; sector++) {
      const tag = content.get(first + sector);
      if (tag === undefined) continue;
      bitmap[sector >> 3]! |= 0x80 >> (sector & 7);
      sectorOf(tag).copy(data, sector * SECTOR);
    }
    const isFull = Array.from({ length: blockSectors }, (_, sector) => content.has(first + sector)).every(
      Boolean,
    );
    if (isFull && random.chance(0.7)) map[block >> 3]! |= 0x80 >> (block & 7);
    const at = layout.place(bitmapBytes + data.length, random.pick([0, 0, 1, 7]));
    layout.put(at, Buffer.concat([bitmap, data]));
    table.writeUInt32BE(at / SECTOR, block * 4);
  }
}

function putBatmap(
  image: ForeignImage,
  layout: Layout,
  { batmapAt, mapAt, map }: { batmapAt: number; mapAt: number; map: Buffer },
  random: Random,
): void {
  const header = Buffer.alloc(SECTOR);
  header.write('tdbatmap', 0, 'latin1');
  header.writeBigUInt64BE(BigInt(mapAt), 8);
  header.writeUInt32BE(map.length / SECTOR, 16);
  header.writeUInt32BE(0x1_0002, 20);
  const used = Math.max(1, Math.ceil(Math.floor(image.size / (16 << 20)) / SECTOR)) * SECTOR;
  // A stale one is ignored.
  header.writeUInt32BE(random.chance(0.2) ? 1 : checksum(map.subarray(0, used)), 24);
  layout.put(batmapAt, header);
  layout.put(mapAt, map);
}
