// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { isUtf8 } from 'node:buffer';
import {
  INFO_BLOCK_SIZE,
  INFO_EXPORT,
  MAX_PAYLOAD_BYTES,
  MAX_STRING_BYTES,
  MIN_BLOCK_BYTES,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  PREFERRED_BLOCK_BYTES,
} from './protocol.js';

/** Bytes of an option before its data: magic, option, length. */
export const OPTION_HEADER_BYTES = 16;
/** Bytes of an option's reply before its data: magic, option, type, length. */
export const OPTION_REPLY_HEADER_BYTES = 20;

/** What INFO and GO ask. */
export interface ExportRequest {
  readonly name: string;
  /** The kinds of information wanted, INFO_…; unknown ones too. */
  readonly infos: readonly number[];
}

export interface OptionHeader {
  readonly option: number;
  /** Bytes of data that follow. */
  readonly length: number;
}

/** Takes apart an option's 16 bytes; undefined when the magic is wrong. */
export function parseOptionHeader(header: Buffer): OptionHeader | undefined {
  if (header.readBigUInt64BE(0) !== OPTION_MAGIC) return undefined;
  return { option: header.readUInt32BE(8), length: header.readUInt32BE(12) };
}

export function encodeOption(option: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(OPTION_HEADER_BYTES);
  header.writeBigUInt64BE(OPTION_MAGIC, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(data.length, 12);
  return Buffer.concat([header, data]);
}

/** A string of the protocol, or what is wrong with it. */
export function parseName(bytes: Buffer): { readonly name: string } | string {
  if (bytes.length > MAX_STRING_BYTES) return `a name has at most ${MAX_STRING_BYTES} bytes`;
  if (!isUtf8(bytes)) return 'a name is UTF-8';
  if (bytes.includes(0)) return 'a name has no NUL';
  return { name: bytes.toString('utf8') };
}

/** Takes apart the data of INFO and GO: u32 length and name, u16 count and u16s. Returns what is wrong with it if it is. */
export function parseExportRequest(data: Buffer): ExportRequest | string {
  if (data.length < 6) return `${data.length} bytes are too few for a name's length and a count`;
  const nameLength = data.readUInt32BE(0);
  if (nameLength > data.length - 6)
    return `the name's length ${nameLength} does not fit into ${data.length} bytes`;
  const name = parseName(data.subarray(4, 4 + nameLength));
  if (typeof name === 'string') return name;
  const count = data.readUInt16BE(4 + nameLength);
  const infos = data.subarray(6 + nameLength);
  if (infos.length !== 2 * count) return `${infos.length} bytes are not ${count} kinds of information`;
  return {
    name: name.name,
    infos: Array.from({ length: count }, (_, index) => infos.readUInt16BE(2 * index)),
  };
}

export function encodeExportRequest({ name, infos }: ExportRequest): Buffer {
  const bytes = Buffer.from(name);
  const data = Buffer.alloc(6 + bytes.length + 2 * infos.length);
  data.writeUInt32BE(bytes.length, 0);
  bytes.copy(data, 4);
  data.writeUInt16BE(infos.length, 4 + bytes.length);
  infos.forEach((info, index) => data.writeUInt16BE(info, 6 + bytes.length + 2 * index));
  return data;
}

/** A reply to an option, with its data. */
export function encodeOptionReply(option: number, type: number, data: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(data);
  const reply = Buffer.alloc(OPTION_REPLY_HEADER_BYTES + bytes.length);
  reply.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  reply.writeUInt32BE(option, 8);
  reply.writeUInt32BE(type, 12);
  reply.writeUInt32BE(bytes.length, 16);
  bytes.copy(reply, OPTION_REPLY_HEADER_BYTES);
  return reply;
}

/** REP_SERVER's data: a name, and what else there is to say. */
export function encodeServerName(name: string, description: string): Buffer {
  const bytes = Buffer.from(name);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes, Buffer.from(description)]);
}

/** INFO_EXPORT: size in bytes and transmission flags. */
export function encodeExportInfo(size: number, flags: number): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt16BE(INFO_EXPORT, 0);
  info.writeBigUInt64BE(BigInt(size), 2);
  info.writeUInt16BE(flags, 10);
  return info;
}

/** INFO_BLOCK_SIZE: smallest, preferred, largest. A disk of no whole sectors has bytes for its smallest blocks. */
export function encodeBlockSizeInfo(size: number): Buffer {
  const info = Buffer.alloc(14);
  info.writeUInt16BE(INFO_BLOCK_SIZE, 0);
  info.writeUInt32BE(size % MIN_BLOCK_BYTES === 0 ? MIN_BLOCK_BYTES : 1, 2);
  info.writeUInt32BE(PREFERRED_BLOCK_BYTES, 6);
  info.writeUInt32BE(MAX_PAYLOAD_BYTES, 10);
  return info;
}

/** INFO_NAME and INFO_DESCRIPTION: a string. */
export function encodeTextInfo(kind: number, text: string): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(kind);
  return Buffer.concat([head, Buffer.from(text)]);
}
