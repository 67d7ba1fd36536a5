// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import * as zlib from 'node:zlib';

const crcOfSome: (bytes: Uint8Array, before?: number) => number = zlib.crc32 ?? crc32ByTable;

/**
 * The crc32 of zip and Ethernet, going on from `before`. (Of no bytes, zlib's is 0 instead of `before` when their ArrayBuffer has
 * been looked at.)
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  return bytes.length === 0 ? before : crcOfSome(bytes, before);
}

const table = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** The same for Node before 20.15, whose zlib does not have it. */
export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] as number) ^ (value >>> 8);
  return ~value >>> 0;
}
