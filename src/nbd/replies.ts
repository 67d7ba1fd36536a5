// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { StatusExtent } from './block-status.js';
import {
  REPLY_BLOCK_STATUS,
  REPLY_ERROR,
  REPLY_FLAG_DONE,
  REPLY_OFFSET_DATA,
  REPLY_OFFSET_HOLE,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from './protocol.js';
import type { Cookie } from './requests.js';

/** Bytes of a simple reply before a READ's data: magic, error, cookie. */
export const SIMPLE_REPLY_BYTES = 16;
/** Bytes of a structured reply before its payload: magic, flags, type, cookie, length. */
export const STRUCTURED_REPLY_BYTES = 20;

export function encodeSimpleReply(cookie: Cookie, error: number): Buffer {
  const bytes = Buffer.allocUnsafe(SIMPLE_REPLY_BYTES);
  bytes.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(error, 4);
  bytes.writeUInt32BE(cookie.high, 8);
  bytes.writeUInt32BE(cookie.low, 12);
  return bytes;
}

/** The head of a chunk with a READ's data; they, `length` bytes, follow. */
export function encodeDataChunk(cookie: Cookie, offset: number, length: number, isLast = true): Buffer {
  const bytes = encodeChunk(cookie, REPLY_OFFSET_DATA, 8 + length, 8, isLast);
  bytes.writeBigUInt64BE(BigInt(offset), STRUCTURED_REPLY_BYTES);
  return bytes;
}

/** A chunk of a READ that says that bytes are zeroes. */
export function encodeHoleChunk(cookie: Cookie, offset: number, length: number, isLast: boolean): Buffer {
  const bytes = encodeChunk(cookie, REPLY_OFFSET_HOLE, 12, 12, isLast);
  bytes.writeBigUInt64BE(BigInt(offset), STRUCTURED_REPLY_BYTES);
  bytes.writeUInt32BE(length, STRUCTURED_REPLY_BYTES + 8);
  return bytes;
}

/** The one chunk that answers a BLOCK_STATUS. */
export function encodeStatusChunk(cookie: Cookie, context: number, extents: readonly StatusExtent[]): Buffer {
  const length = 4 + 8 * extents.length;
  const bytes = encodeChunk(cookie, REPLY_BLOCK_STATUS, length, length);
  bytes.writeUInt32BE(context, STRUCTURED_REPLY_BYTES);
  extents.forEach((extent, index) => {
    bytes.writeUInt32BE(extent.length, STRUCTURED_REPLY_BYTES + 4 + 8 * index);
    bytes.writeUInt32BE(extent.flags, STRUCTURED_REPLY_BYTES + 8 + 8 * index);
  });
  return bytes;
}

/** The one chunk that answers a READ that failed; `message` is for people. */
export function encodeErrorChunk(cookie: Cookie, error: number, message: string): Buffer {
  const text = Buffer.from(message);
  const bytes = encodeChunk(cookie, REPLY_ERROR, 6 + text.length, 6 + text.length);
  bytes.writeUInt32BE(error, STRUCTURED_REPLY_BYTES);
  bytes.writeUInt16BE(text.length, STRUCTURED_REPLY_BYTES + 4);
  text.copy(bytes, STRUCTURED_REPLY_BYTES + 6);
  return bytes;
}

/** A chunk of `length` bytes, with room for the first `room` of them. */
function encodeChunk(cookie: Cookie, type: number, length: number, room: number, isLast = true): Buffer {
  const bytes = Buffer.allocUnsafe(STRUCTURED_REPLY_BYTES + room);
  bytes.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  bytes.writeUInt16BE(isLast ? REPLY_FLAG_DONE : 0, 4);
  bytes.writeUInt16BE(type, 6);
  bytes.writeUInt32BE(cookie.high, 8);
  bytes.writeUInt32BE(cookie.low, 12);
  bytes.writeUInt32BE(length, 16);
  return bytes;
}
