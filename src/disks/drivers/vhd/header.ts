// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { checksumOf, Fields, latin1, setLatin1 } from './bytes.js';
import { locatorCodes, type LocatorEntry, LOCATOR_COUNT, LOCATOR_ENTRY_BYTES } from './locator.js';

export const HEADER_BYTES = 2 * SECTOR_SIZE;
/** The largest block there is, and the usual one: 2 MiB (V19). */
export const MAX_BLOCK_BYTES = 2 << 20;

const COOKIE = 'cxsparse';
const NEXT_AT = 8;
const TABLE_OFFSET_AT = 16;
const VERSION_AT = 24;
const ENTRIES_AT = 28;
const BLOCK_SIZE_AT = 32;
const CHECKSUM_AT = 36;
const PARENT_UUID_AT = 40;
const PARENT_TIME_AT = 56;
const PARENT_NAME_AT = 64;
const PARENT_NAME_BYTES = 512;
const LOCATORS_AT = 576;

/** What can be changed in a header. */
export interface HeaderChanges {
  readonly tableOffset?: number;
  readonly entries?: number;
  readonly parentUuid?: Uint8Array;
  /** Seconds since 2000; compared with nothing (V38). */
  readonly parentTimeStamp?: number;
  /** Cut to 256 UTF-16 units. */
  readonly parentName?: string;
  readonly locators?: readonly LocatorEntry[];
}

/** The header of a dynamic or differencing disk, over its 1024 bytes, which stay as they are (V18). */
export class Header {
  readonly bytes: Uint8Array;
  readonly #fields: Fields;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#fields = new Fields(bytes);
  }

  static create(parts: HeaderChanges & { readonly blockBytes?: number }): Header {
    const bytes = new Uint8Array(HEADER_BYTES);
    const fields = new Fields(bytes);
    setLatin1(bytes, 0, COOKIE);
    fields.setAllOnes(NEXT_AT);
    fields.setU32(VERSION_AT, 0x0001_0000);
    fields.setU32(BLOCK_SIZE_AT, parts.blockBytes ?? MAX_BLOCK_BYTES);
    return new Header(bytes).with(parts);
  }

  /** Where the BAT is, in bytes. */
  get tableOffset(): number {
    return this.#fields.u64(TABLE_OFFSET_AT);
  }
  /** How many entries the BAT has; may be more than the disk needs (V21). */
  get entries(): number {
    return this.#fields.u32(ENTRIES_AT);
  }
  get blockBytes(): number {
    return this.#fields.u32(BLOCK_SIZE_AT);
  }
  get parentUuid(): Uint8Array {
    return this.bytes.subarray(PARENT_UUID_AT, PARENT_UUID_AT + 16);
  }
  /** The parent's base name. */
  get parentName(): string {
    let name = '';
    for (let at = 0; at < PARENT_NAME_BYTES; at += 2) {
      const unit = this.#fields.u16(PARENT_NAME_AT + at);
      if (unit === 0) break;
      name += String.fromCharCode(unit);
    }
    return name;
  }
  /** All eight, the empty ones too. */
  get locators(): readonly LocatorEntry[] {
    return Array.from({ length: LOCATOR_COUNT }, (_, index) => {
      const at = LOCATORS_AT + index * LOCATOR_ENTRY_BYTES;
      return {
        code: latin1(this.bytes, at, 4),
        dataSpace: this.#fields.u32(at + 4),
        dataLength: this.#fields.u32(at + 8),
        offset: this.#fields.u64(at + 16),
      };
    });
  }

  /** What is wrong with it by itself, with the field's name; undefined when nothing is (V19). */
  problem(): { readonly field: string; readonly problem: string } | undefined {
    const { bytes } = this;
    if (latin1(bytes, 0, 8) !== COOKIE) return fault('header cookie', `it is not '${COOKIE}'`);
    if (checksumOf(bytes, CHECKSUM_AT) !== this.#fields.u32(CHECKSUM_AT)) {
      return fault('header checksum', 'it does not fit the header');
    }
    const version = this.#fields.u32(VERSION_AT);
    if (version !== 0x0001_0000)
      return fault('header version', `0x${version.toString(16)}, expected 0x10000`);
    if (bytes.subarray(NEXT_AT, NEXT_AT + 8).some((byte) => byte !== 0xff)) {
      return fault('header next field', 'expected all ones: nothing follows the header');
    }
    const { blockBytes } = this;
    if (blockBytes < SECTOR_SIZE || blockBytes > MAX_BLOCK_BYTES || !isPowerOfTwo(blockBytes)) {
      return fault(
        'block size',
        `${blockBytes}, expected a power of two from ${SECTOR_SIZE} to ${MAX_BLOCK_BYTES}`,
      );
    }
    const unknown = this.locators.find(({ code }) => !locatorCodes.has(code));
    if (unknown) return fault('parent locator', `its code ${JSON.stringify(unknown.code)} is unknown`);
    return undefined;
  }

  /** The same header with changes and a fresh checksum. */
  with(changes: HeaderChanges): Header {
    const bytes = this.bytes.slice();
    const fields = new Fields(bytes);
    if (changes.tableOffset !== undefined) fields.setU64(TABLE_OFFSET_AT, changes.tableOffset);
    if (changes.entries !== undefined) fields.setU32(ENTRIES_AT, changes.entries);
    if (changes.parentUuid) bytes.set(changes.parentUuid, PARENT_UUID_AT);
    if (changes.parentTimeStamp !== undefined) fields.setU32(PARENT_TIME_AT, changes.parentTimeStamp);
    if (changes.parentName !== undefined) {
      bytes.fill(0, PARENT_NAME_AT, LOCATORS_AT);
      for (let index = 0; index < Math.min(changes.parentName.length, PARENT_NAME_BYTES / 2); index++) {
        fields.setU16(PARENT_NAME_AT + index * 2, changes.parentName.charCodeAt(index));
      }
    }
    for (const [index, locator] of (changes.locators ?? []).entries()) {
      const at = LOCATORS_AT + index * LOCATOR_ENTRY_BYTES;
      setLatin1(bytes, at, locator.code);
      fields.setU32(at + 4, locator.dataSpace);
      fields.setU32(at + 8, locator.dataLength);
      fields.setU32(at + 12, 0);
      fields.setU64(at + 16, locator.offset);
    }
    fields.setU32(CHECKSUM_AT, checksumOf(bytes, CHECKSUM_AT));
    return new Header(bytes);
  }
}

function fault(field: string, problem: string): { readonly field: string; readonly problem: string } {
  return { field, problem };
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}
