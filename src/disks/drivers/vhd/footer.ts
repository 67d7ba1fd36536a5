// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { SECTOR_SIZE } from '../../driver.js';
import { checksumOf, Fields, latin1, setLatin1 } from './bytes.js';
import { geometryOf, type Geometry } from './geometry.js';

export const FOOTER_BYTES = SECTOR_SIZE;

export const COOKIE = 'conectix';
/** A journal is in progress (V12). */
export const POISONED_COOKIE = 'v_poison';
/** The creator of tapdisk and vhd-util; its version decides whether there is a batmap (V13). */
export const TAP_CREATOR = 'tap\0';
export const TAP_VERSION = 0x0001_0003;

export const DiskType = { fixed: 2, dynamic: 3, differencing: 4 } as const;

const FEATURES_AT = 8;
const VERSION_AT = 12;
const DATA_OFFSET_AT = 16;
const TIME_AT = 24;
const CREATOR_AT = 28;
const CREATOR_VERSION_AT = 32;
const ORIGINAL_SIZE_AT = 40;
const CURRENT_SIZE_AT = 48;
const GEOMETRY_AT = 56;
const TYPE_AT = 60;
const CHECKSUM_AT = 64;
const UUID_AT = 68;
const HIDDEN_AT = 85;

/** 2000-01-01 in seconds of Unix time (V8). */
const EPOCH_SECONDS = 946_684_800;

/** Seconds since 2000, as footers and headers have them. */
export function timeStampOf(unixSeconds: number): number {
  return Math.max(0, Math.floor(unixSeconds) - EPOCH_SECONDS) % 2 ** 32;
}

/** What can be changed in a footer. */
export interface FooterChanges {
  readonly dataOffset?: number;
  /** In bytes. Sets the geometry too. */
  readonly currentSize?: number;
  readonly uuid?: Uint8Array;
  readonly hidden?: boolean;
}

/** A footer, over its 512 bytes, which stay as they are (V5). */
export class Footer {
  readonly bytes: Uint8Array;
  readonly #fields: Fields;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#fields = new Fields(bytes);
  }

  /** Makes a footer as tapdisk writes it (V16, V17). */
  static create(parts: {
    readonly type: number;
    /** In bytes. */
    readonly size: number;
    /** Undefined for a fixed disk. */
    readonly dataOffset?: number;
    /** Of now. */
    readonly unixSeconds: number;
    readonly uuid: Uint8Array;
  }): Footer {
    const bytes = new Uint8Array(FOOTER_BYTES);
    const fields = new Fields(bytes);
    setLatin1(bytes, 0, COOKIE);
    fields.setU32(FEATURES_AT, 2);
    fields.setU32(VERSION_AT, 0x0001_0000);
    if (parts.dataOffset === undefined) fields.setAllOnes(DATA_OFFSET_AT);
    fields.setU32(TIME_AT, timeStampOf(parts.unixSeconds));
    setLatin1(bytes, CREATOR_AT, TAP_CREATOR);
    fields.setU32(CREATOR_VERSION_AT, TAP_VERSION);
    fields.setU64(ORIGINAL_SIZE_AT, parts.size);
    fields.setU32(TYPE_AT, parts.type);
    return new Footer(bytes).with({
      currentSize: parts.size,
      uuid: parts.uuid,
      ...(parts.dataOffset === undefined ? {} : { dataOffset: parts.dataOffset }),
    });
  }

  get cookie(): string {
    return latin1(this.bytes, 0, 8);
  }
  get version(): number {
    return this.#fields.u32(VERSION_AT);
  }
  get features(): number {
    return this.#fields.u32(FEATURES_AT);
  }
  get dataOffset(): number {
    return this.#fields.u64(DATA_OFFSET_AT);
  }
  get creator(): string {
    return latin1(this.bytes, CREATOR_AT, 4);
  }
  get creatorVersion(): number {
    return this.#fields.u32(CREATOR_VERSION_AT);
  }
  /** In bytes; so is the current size. */
  get originalSize(): number {
    return this.#fields.u64(ORIGINAL_SIZE_AT);
  }
  get currentSize(): number {
    return this.#fields.u64(CURRENT_SIZE_AT);
  }
  get geometry(): Geometry {
    return {
      cylinders: this.#fields.u16(GEOMETRY_AT),
      heads: this.bytes[GEOMETRY_AT + 2] as number,
      sectorsPerTrack: this.bytes[GEOMETRY_AT + 3] as number,
    };
  }
  get type(): number {
    return this.#fields.u32(TYPE_AT);
  }
  get checksum(): number {
    return this.#fields.u32(CHECKSUM_AT);
  }
  get uuid(): Uint8Array {
    return this.bytes.subarray(UUID_AT, UUID_AT + 16);
  }
  get isHidden(): boolean {
    return this.bytes[HIDDEN_AT] !== 0;
  }
  /** Whether tapdisk or vhd-util made it; they look at three letters. */
  get isOfTap(): boolean {
    return this.creator.startsWith('tap');
  }
  /** The disk's size: of the size field, whatever the geometry says (V14). */
  get sectors(): number {
    return Math.floor(this.currentSize / SECTOR_SIZE);
  }

  get hasValidChecksum(): boolean {
    const computed = checksumOf(this.bytes, CHECKSUM_AT);
    if (computed === this.checksum) return true;
    // vhd-util 1.1 set the hidden byte and left the checksum as it was (V13).
    const isOld = this.isOfTap && (this.creatorVersion === 0x0001_0001 || this.creatorVersion === 1);
    return isOld && computed + (this.bytes[HIDDEN_AT] as number) === this.checksum;
  }

  /** The same footer with changes and a fresh checksum; all else is kept (V16). */
  with(changes: FooterChanges): Footer {
    const bytes = this.bytes.slice();
    const fields = new Fields(bytes);
    if (changes.dataOffset !== undefined) fields.setU64(DATA_OFFSET_AT, changes.dataOffset);
    if (changes.currentSize !== undefined) {
      fields.setU64(CURRENT_SIZE_AT, changes.currentSize);
      const { cylinders, heads, sectorsPerTrack } = geometryOf(Math.floor(changes.currentSize / SECTOR_SIZE));
      fields.setU16(GEOMETRY_AT, cylinders);
      bytes[GEOMETRY_AT + 2] = heads;
      bytes[GEOMETRY_AT + 3] = sectorsPerTrack;
    }
    if (changes.uuid) bytes.set(changes.uuid, UUID_AT);
    if (changes.hidden !== undefined) bytes[HIDDEN_AT] = changes.hidden ? 1 : 0;
    fields.setU32(CHECKSUM_AT, checksumOf(bytes, CHECKSUM_AT));
    return new Footer(bytes);
  }

  equals(other: Footer): boolean {
    return Buffer.compare(this.bytes, other.bytes) === 0;
  }
}

/** What keeps 512 bytes from being a footer; undefined when nothing does. */
export function footerProblem(footer: Footer): string | undefined {
  const { cookie } = footer;
  if (cookie !== COOKIE && cookie !== POISONED_COOKIE) return `the cookie is not '${COOKIE}'`;
  if (!footer.hasValidChecksum) return 'the checksum is wrong';
  return undefined;
}
