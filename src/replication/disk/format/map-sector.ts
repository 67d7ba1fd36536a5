// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BitSet } from '../bit-set.js';
import { SECTOR_SIZE } from '../local-disk.js';
import { crc32 } from './crc32.js';

/** What a sector has beside 4 bytes of zeroes and its crc. */
export const BITS_BYTES = 504;
/** The grains of a sector of the map. */
export const GRAINS_A_SECTOR = BITS_BYTES * 8;
const CRC_AT = 508;
/** The largest map: 2^24 bits. */
const MAX_GRAINS = 2 ** 24;
const MIN_GRAIN_SECTORS = 128;

/** How many sectors a grain of a disk has: 64 KiB, doubled until there are not too many. */
export function grainSectorsOf(diskSectors: number): number {
  let sectors = MIN_GRAIN_SECTORS;
  while (diskSectors / sectors > MAX_GRAINS) sectors *= 2;
  return sectors;
}

/** How many bytes a map of this many grains takes in its file. */
export function mapBytes(grains: number): number {
  return Math.ceil(grains / GRAINS_A_SECTOR) * SECTOR_SIZE;
}

export function encodeMapSector(bits: BitSet, index: number, salt: string): Uint8Array {
  const bytes = new Uint8Array(SECTOR_SIZE);
  const first = index * GRAINS_A_SECTOR;
  const end = Math.min(first + GRAINS_A_SECTOR, bits.size);
  for (let grain = bits.next(first); grain >= 0 && grain < end; grain = bits.next(grain + 1)) {
    const bit = grain - first;
    bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7));
  }
  sealSector(bytes, index, salt);
  return bytes;
}

/** Adds a sector's grains to the bits; false when it is damaged: then nothing is added. */
export function decodeMapSector(bytes: Uint8Array, index: number, salt: string, bits: BitSet): boolean {
  if (!isSectorSealed(bytes, index, salt)) return false;
  const first = index * GRAINS_A_SECTOR;
  for (let bit = 0; bit < GRAINS_A_SECTOR && first + bit < bits.size; bit++) {
    if ((bytes[bit >>> 3] as number) & (1 << (bit & 7))) bits.add(first + bit);
  }
  return true;
}

/** Puts the crc into the sector of this number, which others of the salt have in other places. */
export function sealSector(bytes: Uint8Array, index: number, salt: string): void {
  viewOf(bytes).setUint32(CRC_AT, sectorCrc(bytes, index, salt), true);
}

/** Whether a sector has the crc that {@link sealSector} gave it. */
export function isSectorSealed(bytes: Uint8Array, index: number, salt: string): boolean {
  return viewOf(bytes).getUint32(CRC_AT, true) === sectorCrc(bytes, index, salt);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sectorCrc(bytes: Uint8Array, index: number, salt: string): number {
  return crc32(bytes.subarray(0, CRC_AT), crc32(Buffer.from(`${salt} ${index}`, 'latin1')));
}
