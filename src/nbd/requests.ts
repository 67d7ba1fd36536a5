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
  CMD_FLAG_REQ_ONE,
  CMD_FLUSH,
  CMD_READ,
  CMD_TRIM,
  CMD_WRITE,
  CMD_WRITE_ZEROES,
  REQUEST_MAGIC,
} from './protocol.js';

/** Bytes of a request before a WRITE's data: magic, flags, type, cookie, offset, length. */
export const REQUEST_BYTES = 28;

/** The client's name for a request, opaque: the halves of its 64 bits. */
export interface Cookie {
  readonly high: number;
  readonly low: number;
}

export interface NbdRequest {
  readonly flags: number;
  readonly command: number;
  readonly cookie: Cookie;
  /** In bytes. Exact below 2^53; a larger one is outside of any disk however it is rounded. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** Takes apart a request's 28 bytes; undefined when the magic is wrong. */
export function parseRequest(bytes: Buffer): NbdRequest | undefined {
  if (bytes.readUInt32BE(0) !== REQUEST_MAGIC) return undefined;
  return {
    flags: bytes.readUInt16BE(4),
    command: bytes.readUInt16BE(6),
    cookie: { high: bytes.readUInt32BE(8), low: bytes.readUInt32BE(12) },
    offset: bytes.readUInt32BE(16) * 2 ** 32 + bytes.readUInt32BE(20),
    length: bytes.readUInt32BE(24),
  };
}

export function encodeRequest({ flags, command, cookie, offset, length }: NbdRequest): Buffer {
  const bytes = Buffer.allocUnsafe(REQUEST_BYTES);
  bytes.writeUInt32BE(REQUEST_MAGIC, 0);
  bytes.writeUInt16BE(flags, 4);
  bytes.writeUInt16BE(command, 6);
  bytes.writeUInt32BE(cookie.high, 8);
  bytes.writeUInt32BE(cookie.low, 12);
  bytes.writeUInt32BE(Math.floor(offset / 2 ** 32), 16);
  bytes.writeUInt32BE(offset % 2 ** 32, 20);
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

/** Whether a request is valid whatever the disk: a known command, with flags that go with it; a flush has no range. */
export function isValidRequest({ command, flags, offset, length }: NbdRequest): boolean {
  const known = flagsOf.get(command);
  // FUA means nothing to those that change nothing, and the protocol lets a client set it there.
  if (known === undefined || (flags & ~known & ~CMD_FLAG_FUA) !== 0) return false;
  return command !== CMD_FLUSH || (offset === 0 && length === 0);
}
