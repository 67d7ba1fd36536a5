// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  CMD_BLOCK_STATUS,
  CMD_CACHE,
  CMD_DISC,
  CMD_FLAG_DF,
  CMD_FLAG_FAST_ZERO,
  CMD_FLAG_FUA,
  CMD_FLAG_NO_HOLE,
  CMD_FLAG_PAYLOAD_LEN,
  CMD_FLAG_REQ_ONE,
  CMD_FLUSH,
  CMD_READ,
  CMD_TRIM,
  CMD_WRITE,
  CMD_WRITE_ZEROES,
  EXTENDED_REQUEST_MAGIC,
  REQUEST_MAGIC,
} from './protocol.js';

/** Bytes of a request before a WRITE's data: magic, flags, type, cookie, offset, length. */
export const REQUEST_BYTES = 28;
/** The same with extended headers, where the length has 64 bits. */
export const EXTENDED_REQUEST_BYTES = 32;

/** 64 bits in halves. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/** What every request has on the wire. */
export interface RequestFields {
  readonly flags: number;
  readonly command: number;
  /** The client's name for the request, opaque. */
  readonly cookie: Halves;
  /** In bytes. Exact below 2^53; a larger one is outside of any disk however it is rounded. */
  readonly offset: number;
  /** How much is to be read or changed, in bytes; as exact as the offset. */
  readonly length: number;
}

export interface NbdRequest extends RequestFields {
  /** The offset as it came, for replies that repeat it. */
  readonly place: Halves;
  /** How many bytes of the client's follow the header. */
  readonly payloadBytes: number;
}

/** Takes apart a request's 28 bytes; undefined when the magic is wrong. */
export function parseRequest(bytes: Buffer): NbdRequest | undefined {
  if (bytes.readUInt32BE(0) !== REQUEST_MAGIC) return undefined;
  const length = bytes.readUInt32BE(24);
  return requestOf(bytes, length, bytes.readUInt16BE(6) === CMD_WRITE ? length : 0);
}

/** Takes apart the 32 bytes of a request with an extended header; undefined when the magic is wrong. */
export function parseExtendedRequest(bytes: Buffer): NbdRequest | undefined {
  if (bytes.readUInt32BE(0) !== EXTENDED_REQUEST_MAGIC) return undefined;
  const length = numberOf(halvesAt(bytes, 24));
  return requestOf(bytes, length, (bytes.readUInt16BE(4) & CMD_FLAG_PAYLOAD_LEN) === 0 ? 0 : length);
}

function requestOf(bytes: Buffer, length: number, payloadBytes: number): NbdRequest {
  const place = halvesAt(bytes, 16);
  return {
    flags: bytes.readUInt16BE(4),
    command: bytes.readUInt16BE(6),
    cookie: halvesAt(bytes, 8),
    place,
    offset: numberOf(place),
    length,
    payloadBytes,
  };
}

function halvesAt(bytes: Buffer, at: number): Halves {
  return { high: bytes.readUInt32BE(at), low: bytes.readUInt32BE(at + 4) };
}

function numberOf({ high, low }: Halves): number {
  return high * 2 ** 32 + low;
}

/** A number below 2^53 in halves. */
export function halvesOf(number: number): Halves {
  return { high: Math.floor(number / 2 ** 32), low: number % 2 ** 32 };
}

export function encodeRequest({ flags, command, cookie, offset, length }: RequestFields): Buffer {
  const bytes = Buffer.allocUnsafe(REQUEST_BYTES);
  const place = halvesOf(offset);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(flags, 4);
  bytes.writeUInt16BE(command, 6);
  bytes.writeUInt32BE(cookie.high, 8);
  bytes.writeUInt32BE(cookie.low, 12);
  bytes.writeUInt32BE(place.high, 16);
  bytes.writeUInt32BE(place.low, 20);
  bytes.writeUInt32BE(length, 24);
  return bytes;
}

/** The flags that each command may have; a command that is not here is not known. */
const flagsOf = new Map<number, number>([
  [CMD_READ, CMD_FLAG_DF],
  [CMD_WRITE, CMD_FLAG_FUA],
  [CMD_DISC, 0],
  [CMD_FLUSH, 0],
  [CMD_TRIM, CMD_FLAG_FUA],
  [CMD_CACHE, 0],
  [CMD_WRITE_ZEROES, CMD_FLAG_FUA | CMD_FLAG_NO_HOLE | CMD_FLAG_FAST_ZERO],
  [CMD_BLOCK_STATUS, CMD_FLAG_REQ_ONE],
]);

/** The commands that data may come with, when headers are extended. */
const payloadCommands: ReadonlySet<number> = new Set([CMD_WRITE, CMD_BLOCK_STATUS]);

/** Whether a request is valid whatever the disk: a known command, with flags that go with it; a flush has no range. */
export function isValidRequest({ command, flags, offset, length }: NbdRequest, isExtended: boolean): boolean {
  const known = flagsOf.get(command);
  if (known === undefined) return false;
  const payload = isExtended && payloadCommands.has(command) ? CMD_FLAG_PAYLOAD_LEN : 0;
  // FUA means nothing to those that change nothing, and the protocol lets a client set it there.
  if ((flags & ~(known | payload | CMD_FLAG_FUA)) !== 0) return false;
  return command !== CMD_FLUSH || (offset === 0 && length === 0);
}
