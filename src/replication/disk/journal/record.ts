// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { crc32 } from '../format/crc32.js';
import { EXTENT_BYTES, getExtentEntry, putExtentEntry } from '../format/extent-entry.js';
import { Fields } from '../format/fields.js';
import { SECTOR_SIZE } from '../local-disk.js';
import { BLOCK } from './segment-format.js';

const MAGIC = 'TDRR';
const HEADER_BYTES = 64;
/** A record's first block has its header and the table of its extents. */
export const MAX_EXTENTS = (BLOCK - HEADER_BYTES) / EXTENT_BYTES;
/** The data that a record has at most. */
export const MAX_RECORD_DATA = 512 << 10;
export const MAX_RECORD_BYTES = BLOCK + MAX_RECORD_DATA;

export type RecordKind = 'data' | 'abort';
const KINDS: readonly RecordKind[] = ['data', 'abort'];

/** A range of sectors, and where its content is in the record; -1: it is all zeroes. */
export interface RecordExtent {
  readonly sector: number;
  readonly sectors: number;
  /** In bytes from the record's start. */
  readonly dataAt: number;
  /** Of the data; 0 for zeroes. */
  readonly crc: number;
}

/** What a record says of itself. */
export interface RecordHeader {
  readonly kind: RecordKind;
  readonly segment: number;
  /** From 0 in each segment. */
  readonly number: number;
  /** Which open checkpoint it belongs to, as the backup counts them. */
  readonly checkpoint: number;
  readonly extents: number;
  /** Of the whole record, in blocks. */
  readonly bytes: number;
}

/** What is in a record's header beside its description. */
interface RecordSeal {
  readonly salt: number;
  /** The crc of the record before, or the segment's salt. */
  readonly chain: number;
}

/** Where in a record `bytes` of data end, in blocks. */
export function recordLength(dataBytes: number): number {
  return BLOCK + Math.ceil(dataBytes / BLOCK) * BLOCK;
}

/** Puts an extent into a record's table. */
export function putExtent(record: Uint8Array, index: number, extent: RecordExtent): void {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const { sector, sectors, dataAt, crc } = extent;
  putExtentEntry(view, HEADER_BYTES + index * EXTENT_BYTES, { sector, sectors, isZero: dataAt < 0, crc });
}

/** The extents of a record whose table is sound, or undefined when their data is not what it was. */
export function recordExtents(record: Uint8Array, count: number): RecordExtent[] | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const extents: RecordExtent[] = [];
  let dataAt = BLOCK;
  for (let index = 0; index < count; index++) {
    const { sector, sectors, isZero, crc } = getExtentEntry(view, HEADER_BYTES + index * EXTENT_BYTES);
    const end = dataAt + (isZero ? 0 : sectors * SECTOR_SIZE);
    if (end > record.length) return undefined;
    if (!isZero && crc32(record.subarray(dataAt, end)) !== crc) return undefined;
    extents.push({ sector, sectors, dataAt: isZero ? -1 : dataAt, crc });
    dataAt = end;
  }
  return extents;
}

/** Completes a record in its buffer. Returns the chain's new value. */
export function sealRecord(record: Uint8Array, header: RecordHeader, { salt, chain }: RecordSeal): number {
  new Fields(record)
    .putText(MAGIC)
    .putU32(KINDS.indexOf(header.kind) + 1)
    .putU64(header.segment)
    .putU64(header.number)
    .putU64(header.checkpoint)
    .putU32(header.extents)
    .putU32(header.bytes)
    .putU32(salt)
    .putU32(crc32(record.subarray(HEADER_BYTES, BLOCK)));
  const crc = crc32(record.subarray(0, HEADER_BYTES - 16), chain);
  new Fields(record, HEADER_BYTES - 16).putU32(crc);
  return crc;
}

/** The header of the record that should begin here, and the chain's value with it; undefined when there is none. */
export function openRecordHeader(
  block: Uint8Array,
  { salt, chain }: RecordSeal,
): { readonly header: RecordHeader; readonly chain: number; readonly tableCrc: number } | undefined {
  const fields = new Fields(block);
  if (fields.getText(MAGIC.length) !== MAGIC) return undefined;
  const kind = KINDS[fields.getU32() - 1];
  const header = {
    segment: fields.getU64(),
    number: fields.getU64(),
    checkpoint: fields.getU64(),
    extents: fields.getU32(),
    bytes: fields.getU32(),
  };
  const itsSalt = fields.getU32();
  const tableCrc = fields.getU32();
  const crc = fields.getU32();
  if (kind === undefined || itsSalt !== salt) return undefined;
  if (crc !== crc32(block.subarray(0, HEADER_BYTES - 16), chain)) return undefined;
  if (header.extents > MAX_EXTENTS || header.bytes > MAX_RECORD_BYTES || header.bytes % BLOCK !== 0)
    return undefined;
  if (header.bytes === 0) return undefined;
  return { header: { kind, ...header }, chain: crc, tableCrc };
}

/** Whether a record's table is what its header vouches for. */
export function hasTableCrc(record: Uint8Array, tableCrc: number): boolean {
  return crc32(record.subarray(HEADER_BYTES, BLOCK)) === tableCrc;
}
