// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { crc32 } from '../format/crc32.js';
import { EXTENT_BYTES, getExtentEntry, putExtentEntry } from '../format/extent-entry.js';
import { Fields } from '../format/fields.js';
import { SECTOR_SIZE } from '../local-disk.js';

/** The types of frames between own peers; see docs/replication-protocol.md. */
export const FRAME_TYPES = {
  hello: 1,
  write: 2,
  commit: 3,
  done: 4,
  abort: 5,
  fail: 6,
  ping: 7,
  pong: 8,
  map: 9,
  syncBegin: 10,
  syncData: 11,
  progress: 12,
  compare: 13,
  compared: 14,
  busy: 15,
  refused: 16,
} as const;

export type FrameName = keyof typeof FRAME_TYPES;

const names = new Map(Object.entries(FRAME_TYPES).map(([name, type]) => [type as number, name as FrameName]));

export const FRAME_HEADER_BYTES = 24;
/** The data of a frame, and a table of extents. */
export const MAX_FRAME_DATA = 1 << 20;
const MAX_FRAME_BODY = MAX_FRAME_DATA + (64 << 10);
/** What the extents of a frame cover at most, zeroes included: 1 GiB. */
export const MAX_FRAME_SECTORS = 2 ** 21;
const CRC_AT = 20;
const EXTENTS_HEAD_BYTES = 8;

export interface FrameHeader {
  readonly name: FrameName;
  readonly length: number;
  readonly sequence: number;
  readonly crc: number;
}

/** What is wrong with what a peer has sent. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Frames whose data have crcs of their own, in the table: the frame's covers no more than that. */
const WITH_TABLE: ReadonlySet<FrameName> = new Set<FrameName>(['write', 'syncData', 'compare']);

/** The header of a frame whose body is `parts`, one after the other; of extents, the table is the first. */
export function frameHeader(name: FrameName, sequence: number, parts: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  new Fields(header).putU32(length).putU32(FRAME_TYPES[name]).putU64(sequence);
  let crc = crc32(header.subarray(0, CRC_AT));
  for (const part of WITH_TABLE.has(name) ? parts.slice(0, 1) : parts) crc = crc32(part, crc);
  header.writeUInt32LE(crc, CRC_AT);
  return header;
}

/** @throws ProtocolError for an unknown type or a length that is too large */
export function readFrameHeader(bytes: Uint8Array): FrameHeader {
  const fields = new Fields(bytes);
  const length = fields.getU32();
  const type = fields.getU32();
  const sequence = fields.getU64();
  const name = names.get(type);
  if (name === undefined) throw new ProtocolError(`a frame has the unknown type ${type}`);
  if (length > MAX_FRAME_BODY) {
    throw new ProtocolError(`a frame has ${length} bytes, expected at most ${MAX_FRAME_BODY}`);
  }
  return { name, length, sequence, crc: fields.skip(4).getU32() };
}

/** @throws ProtocolError when the crc is not that of header and body, or of header and table */
export function checkFrame(header: Uint8Array, { name, crc }: FrameHeader, body: Uint8Array): void {
  const covered = WITH_TABLE.has(name) ? body.subarray(0, tableBytes(body)) : body;
  if (crc32(covered, crc32(header.subarray(0, CRC_AT))) === crc) return;
  throw new ProtocolError(`a frame ${name} is damaged: its crc is wrong`);
}

/** A range of sectors in a frame; `data` undefined: zeroes. */
export interface FrameExtent {
  readonly sector: number;
  readonly sectors: number;
  readonly data: Uint8Array | undefined;
  /** Of the data, where it is known; 0 for zeroes. */
  readonly crc: number;
}

/** The length of a body's table of extents, by what it says. */
function tableBytes(body: Uint8Array): number {
  if (body.length < EXTENTS_HEAD_BYTES) return body.length;
  return EXTENTS_HEAD_BYTES + new Fields(body).getU32() * EXTENT_BYTES;
}

/** The body of a write, sync data or compare, as parts; `data` is not copied. */
export function extentsBody(extents: readonly Omit<FrameExtent, 'crc'>[]): Uint8Array[] {
  const table = Buffer.alloc(EXTENTS_HEAD_BYTES + extents.length * EXTENT_BYTES);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  view.setUint32(0, extents.length, true);
  for (const [index, { sector, sectors, data }] of extents.entries()) {
    const crc = data === undefined ? 0 : crc32(data);
    const entry = { sector, sectors, isZero: data === undefined, crc };
    putExtentEntry(view, EXTENTS_HEAD_BYTES + index * EXTENT_BYTES, entry);
  }
  return [table, ...extents.flatMap(({ data }) => (data === undefined ? [] : [data]))];
}

/**
 * The extents of a body, each within `diskSectors`, the crcs of their data checked.
 *
 * @param bytesPer what an extent's data is long: its sectors unless given
 * @throws ProtocolError for a range outside of the disk, data that does not fit or is damaged
 */
export function readExtents(body: Uint8Array, diskSectors: number, bytesPer?: number): FrameExtent[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = body.length < EXTENTS_HEAD_BYTES ? Infinity : view.getUint32(0, true);
  let at = EXTENTS_HEAD_BYTES + count * EXTENT_BYTES;
  if (at > body.length) throw new ProtocolError(`a table of ${count} extents does not fit its frame`);
  const extents: FrameExtent[] = [];
  let covered = 0;
  for (let index = 0; index < count; index++) {
    const { sector, sectors, isZero, crc } = getExtentEntry(view, EXTENTS_HEAD_BYTES + index * EXTENT_BYTES);
    if (sectors === 0 || sector + sectors > diskSectors) {
      throw new ProtocolError(`${sectors} sectors at ${sector} are not within the disk's ${diskSectors}`);
    }
    covered += sectors;
    if (covered > MAX_FRAME_SECTORS) {
      throw new ProtocolError(`a frame covers more than ${MAX_FRAME_SECTORS} sectors`);
    }
    const length = isZero ? 0 : (bytesPer ?? sectors * SECTOR_SIZE);
    if (at + length > body.length) throw new ProtocolError('the data of an extent does not fit its frame');
    const data = isZero ? undefined : body.subarray(at, at + length);
    if (data !== undefined && crc32(data) !== crc) {
      throw new ProtocolError(`the data of ${sectors} sectors at ${sector} is damaged: its crc is wrong`);
    }
    extents.push({ sector, sectors, data, crc });
    at += length;
  }
  if (at !== body.length) throw new ProtocolError(`${body.length - at} bytes after the data of a frame`);
  return extents;
}

/** A body of numbers of 64 bits. */
export function numbersBody(...numbers: readonly number[]): Uint8Array {
  const body = Buffer.alloc(numbers.length * 8);
  const fields = new Fields(body);
  for (const number of numbers) fields.putU64(number);
  return body;
}

/** The number that a body is. @throws ProtocolError as {@link readNumbers} does */
export function readNumber(body: Uint8Array): number {
  return readNumbers(body, 1)[0] as number;
}

/** @throws ProtocolError when the body has another length, or a number is 2^53 or more */
export function readNumbers(body: Uint8Array, count: number): number[] {
  if (body.length !== count * 8) {
    throw new ProtocolError(`a body has ${body.length} bytes, expected ${count * 8}`);
  }
  const fields = new Fields(body);
  return Array.from({ length: count }, () => {
    const number = fields.getU64();
    if (Number.isSafeInteger(number)) return number;
    throw new ProtocolError(`${number} is out of range: expected less than 2^53`);
  });
}
