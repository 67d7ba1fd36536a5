// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Fields } from '../format/fields.js';
import { SECTOR_SIZE } from '../local-disk.js';
import { ProtocolError } from '../wire/frame.js';

/** The tags of the C driver's messages, four bytes each, as numbers that Fields and DataView read little-endian. */
export const WREQ = tagNumber('wreq');
export const CREQ = tagNumber('creq');
export const DONE = tagNumber('done');

export const COMMIT_MESSAGE = Buffer.from('creq', 'latin1');
export const DONE_MESSAGE = Buffer.from('done', 'latin1');
export const TAG_BYTES = 4;
/** Tag, sectors, first sector. */
export const WRITE_HEADER_BYTES = 16;
/** A C backup drops the connection on more in one message. */
export const MAX_WRITE_SECTORS = 8;
export const MAX_MESSAGE_BYTES = WRITE_HEADER_BYTES + MAX_WRITE_SECTORS * SECTOR_SIZE;

function tagNumber(tag: string): number {
  return Buffer.from(tag, 'latin1').readUInt32LE();
}

/** The messages that a write is, one after the other, each of {@link MAX_WRITE_SECTORS} at most; no bytes: zeroes. */
export function writeMessages(sector: number, sectors: number, bytes?: Uint8Array): Uint8Array {
  const messages = Math.ceil(sectors / MAX_WRITE_SECTORS);
  const all = Buffer.alloc(messages * WRITE_HEADER_BYTES + sectors * SECTOR_SIZE);
  let at = 0;
  for (let from = 0; from < sectors; from += MAX_WRITE_SECTORS) {
    const count = Math.min(MAX_WRITE_SECTORS, sectors - from);
    new Fields(all, at)
      .putU32(WREQ)
      .putU32(count)
      .putU64(sector + from);
    const data = bytes?.subarray(from * SECTOR_SIZE, (from + count) * SECTOR_SIZE);
    if (data) all.set(data, at + WRITE_HEADER_BYTES);
    at += WRITE_HEADER_BYTES + count * SECTOR_SIZE;
  }
  return all;
}

/** A write's sectors, by its header. */
export interface WriteHeader {
  readonly sector: number;
  readonly sectors: number;
}

/** @throws ProtocolError for more sectors than a message may have, or sectors that the disk does not have */
export function readWriteHeader(message: Uint8Array, diskSectors: number): WriteHeader {
  const fields = new Fields(message, TAG_BYTES);
  const sectors = fields.getU32();
  const sector = fields.getU64();
  if (sectors > MAX_WRITE_SECTORS) {
    throw new ProtocolError(`a wreq has ${sectors} sectors, expected at most ${MAX_WRITE_SECTORS}`);
  }
  if (sector + sectors > diskSectors) {
    throw new ProtocolError(`${sectors} sectors at ${sector} are not within the disk's ${diskSectors}`);
  }
  return { sector, sectors };
}
