// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Fields, isSealed, seal } from '../format/fields.js';
import { SECTOR_SIZE } from '../local-disk.js';

/** What a record and all else in a segment begins at. */
export const BLOCK = 4096;
export const MARKER_SLOTS = 16;
/** Blocks: two copies of the header, then the markers, then records. */
export const FIRST_MARKER_AT = 2 * BLOCK;
export const FIRST_RECORD_AT = (2 + MARKER_SLOTS) * BLOCK;

const HEADER_MAGIC = 'TDRSEGM1';
const MARKER_MAGIC = 'TDRMARK1';

/** Where the records of one segment end, and what vouches for them. */
export interface SegmentEnd {
  /** The position after the last record. */
  readonly end: number;
  /** How many records there are. */
  readonly records: number;
  /** The last record's crc; the segment's salt when there is none. */
  readonly chain: number;
}

export interface SegmentHeader {
  /** From 1; 0: the file was never used. */
  readonly segment: number;
  readonly salt: number;
  /** Of the segment before. */
  readonly previous: SegmentEnd;
}

/** A commit: everything up to `at` of this segment, and all live segments before, is committed as `epoch`. */
export interface Marker {
  /** 0 for a slot that was never used. */
  readonly segment: number;
  readonly sequence: number;
  readonly generation: string;
  readonly epoch: number;
  readonly at: SegmentEnd;
  /** The resync file that is part of what is committed and not on the image yet, and the crc of its table. */
  readonly resyncId: string;
  readonly resyncCrc: number;
  /** The checkpoint in the journal that was committed with it: it lies under that one's records, over earlier ones'. */
  readonly resyncCheckpoint: number;
}

export function encodeHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SECTOR_SIZE);
  const fields = new Fields(bytes).putText(HEADER_MAGIC).skip(4).putU32(header.salt).putU64(header.segment);
  putEnd(fields, header.previous);
  seal(bytes);
  return bytes;
}

/** The header of a copy, or undefined for one that is damaged. */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (!isSealed(bytes, HEADER_MAGIC)) return undefined;
  const fields = new Fields(bytes, HEADER_MAGIC.length + 4);
  const salt = fields.getU32();
  return { salt, segment: fields.getU64(), previous: getEnd(fields) };
}

export function encodeMarker(marker: Marker): Uint8Array {
  const bytes = new Uint8Array(SECTOR_SIZE);
  const fields = new Fields(bytes)
    .putText(MARKER_MAGIC)
    .skip(4)
    .putU32(marker.resyncCrc)
    .putU64(marker.segment)
    .putU64(marker.sequence)
    .putHex(marker.generation)
    .putU64(marker.epoch)
    .putHex(marker.resyncId)
    .putU64(marker.resyncCheckpoint);
  putEnd(fields, marker.at);
  seal(bytes);
  return bytes;
}

/** The marker of a slot, or undefined for one that is damaged. */
export function decodeMarker(bytes: Uint8Array): Marker | undefined {
  if (!isSealed(bytes, MARKER_MAGIC)) return undefined;
  const fields = new Fields(bytes, MARKER_MAGIC.length + 4);
  const resyncCrc = fields.getU32();
  return {
    resyncCrc,
    segment: fields.getU64(),
    sequence: fields.getU64(),
    generation: fields.getHex(8),
    epoch: fields.getU64(),
    resyncId: fields.getHex(8),
    resyncCheckpoint: fields.getU64(),
    at: getEnd(fields),
  };
}

function putEnd(fields: Fields, { end, records, chain }: SegmentEnd): void {
  fields.putU64(end).putU64(records).putU32(chain);
}

function getEnd(fields: Fields): SegmentEnd {
  return { end: fields.getU64(), records: fields.getU64(), chain: fields.getU32() };
}
