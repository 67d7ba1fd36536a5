// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { checksumOf, Fields, latin1, roundUp, setLatin1 } from './bytes.js';
import type { Footer } from './footer.js';
import { MAX_BLOCK_BYTES } from './header.js';

const COOKIE = 'tdbatmap';
const OFFSET_AT = 8;
const SIZE_AT = 16;
const VERSION_AT = 20;
const CHECKSUM_AT = 24;
const KEY_IS_SET_AT = 29;
const VERSION = 0x0001_0002;
const CHECKSUM_OF_ZEROES = 0xffff_ffff;

/** The first version of the creator `tap` that always has a batmap; 1.1 may have one (V26). */
const FIRST_TAP_VERSION = 0x0001_0002;
const TAP_VERSION_1_1 = 0x0001_0001;

/** Whether an image may have a batmap after its BAT. */
export function mayHaveBatmap(footer: Footer): boolean {
  return footer.isOfTap && footer.creatorVersion >= TAP_VERSION_1_1;
}

/** Whether C takes an image for broken that has none (V17). */
export function mustHaveBatmap(footer: Footer): boolean {
  return footer.isOfTap && footer.creatorVersion >= FIRST_TAP_VERSION;
}

/** tapdisk's extension after the BAT: one bit a block, set when every bit of its bitmap is (V26 to V31). */
export class BatmapHeader {
  readonly bytes: Uint8Array;
  readonly #fields: Fields;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#fields = new Fields(bytes);
  }

  /** A header for a map of zeroes at `offset`. */
  static create(offset: number, entries: number): BatmapHeader {
    const bytes = new Uint8Array(SECTOR_SIZE);
    const fields = new Fields(bytes);
    setLatin1(bytes, 0, COOKIE);
    fields.setU64(OFFSET_AT, offset);
    fields.setU32(SIZE_AT, batmapBytes(entries) / SECTOR_SIZE);
    fields.setU32(VERSION_AT, VERSION);
    fields.setU32(CHECKSUM_AT, CHECKSUM_OF_ZEROES);
    return new BatmapHeader(bytes);
  }

  get hasCookie(): boolean {
    return latin1(this.bytes, 0, 8) === COOKIE;
  }
  /** Where the map is, in bytes. */
  get offset(): number {
    return this.#fields.u64(OFFSET_AT);
  }
  /** In bytes. */
  get size(): number {
    return this.#fields.u32(SIZE_AT) * SECTOR_SIZE;
  }
  get version(): number {
    return this.#fields.u32(VERSION_AT);
  }
  /** Whether the data is encrypted (V31). */
  get hasKeyHash(): boolean {
    return this.bytes[KEY_IS_SET_AT] !== 0;
  }

  /** How much of the map the checksum covers, in bytes (V28). */
  usedBytes(footer: Footer): number {
    const used = Math.floor(footer.currentSize / (8 * MAX_BLOCK_BYTES));
    return Math.max(SECTOR_SIZE, roundUp(used, SECTOR_SIZE));
  }

  /** @param map the bytes that the checksum covers */
  hasValidChecksum(map: Uint8Array): boolean {
    const checksum = this.#fields.u32(CHECKSUM_AT);
    if (checksumOf(map) === checksum) return true;
    // Version 1.1 took the bytes as signed.
    let sum = 0;
    for (const byte of map) sum += byte > 127 ? byte - 256 : byte;
    return this.version <= 0x0001_0001 && ~sum >>> 0 === checksum;
  }

  /** The same header for a map of zeroes. */
  withEmptyMap(): BatmapHeader {
    const bytes = this.bytes.slice();
    new Fields(bytes).setU32(CHECKSUM_AT, CHECKSUM_OF_ZEROES);
    new Fields(bytes).setU32(VERSION_AT, VERSION);
    return new BatmapHeader(bytes);
  }
}

/** Bytes that a map for this many blocks takes in the file. */
export function batmapBytes(entries: number): number {
  return Math.max(SECTOR_SIZE, roundUp(Math.ceil(entries / 8), SECTOR_SIZE));
}
