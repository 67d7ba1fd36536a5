// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { roundUp } from './bytes.js';
import type { Header } from './header.js';

/** The entry of a block that is not allocated (V22). */
export const NOT_ALLOCATED = 0xffff_ffff;
/** Blocks end at this sector at most (V58). */
export const MAX_FILE_SECTORS = 2 ** 32;

/** Longer tables are not read, whatever room a sparse file has for them: 32 TiB of disk with 2 MiB blocks, 64 MiB of memory. */
export const MAX_BAT_ENTRIES = 2 ** 24;

export const BAT_ENTRY_BYTES = 4;
export const ENTRIES_PER_SECTOR = SECTOR_SIZE / BAT_ENTRY_BYTES;

/** How a block's sectors lie in the file: first its bitmap, then its data (V2). */
export interface BlockShape {
  /** Data sectors. */
  readonly sectors: number;
  readonly bitmapSectors: number;
}

export function blockShape(blockBytes: number): BlockShape {
  const sectors = blockBytes / SECTOR_SIZE;
  return { sectors, bitmapSectors: Math.ceil(sectors / 8 / SECTOR_SIZE) };
}

/** Bytes that a BAT takes in the file, padded to sectors. */
export function batBytes(entries: number): number {
  return roundUp(entries * BAT_ENTRY_BYTES, SECTOR_SIZE);
}

/** How many entries a disk needs (V20). */
export function entriesFor(sectors: number, { sectors: perBlock }: BlockShape): number {
  return Math.ceil(sectors / perBlock);
}

/** Takes the entries out of the bytes of the file, in place: a large table is there once. */
export function batOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / BAT_ENTRY_BYTES);
  for (let index = 0; index < entries.length; index++)
    entries[index] = view.getUint32(index * BAT_ENTRY_BYTES);
  return entries;
}

/** The bytes of the sector of a table that has an entry; zeroes after the last entry, as C pads it (V23). */
export function batSector(bat: (index: number) => number, entries: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR_SIZE);
  const view = new DataView(bytes.buffer);
  const first = sector * ENTRIES_PER_SECTOR;
  for (let at = 0; at < Math.min(ENTRIES_PER_SECTOR, entries - first); at++) {
    view.setUint32(at * BAT_ENTRY_BYTES, bat(first + at));
  }
  return bytes;
}

/** Where the space ends that blocks take in the file, in sectors: the end of the last block, or of the metadata. */
export function endOfBlocks(bat: Uint32Array, shape: BlockShape, metadataEnd: number): number {
  let end = metadataEnd;
  const length = shape.bitmapSectors + shape.sectors;
  for (const entry of bat) if (entry !== NOT_ALLOCATED && entry + length > end) end = entry + length;
  return end;
}

/** Rounds a block's place up so that its data starts on a 4 KiB boundary (V54). */
export function alignedPlace(sector: number, { bitmapSectors }: BlockShape): number {
  return roundUp(sector + bitmapSectors, 8) - bitmapSectors;
}

export function countAllocated(bat: Uint32Array): number {
  let count = 0;
  for (const entry of bat) if (entry !== NOT_ALLOCATED) count++;
  return count;
}

/** How many blocks a disk of this header may have at most. */
export function maxSectors(header: Header): number {
  return header.entries * (header.blockBytes / SECTOR_SIZE);
}
