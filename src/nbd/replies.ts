// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { StatusExtent } from './block-status.js';
import {
  CMD_BLOCK_STATUS,
  CMD_READ,
  EXTENDED_REPLY_MAGIC,
  REPLY_BLOCK_STATUS,
  REPLY_BLOCK_STATUS_EXT,
  REPLY_ERROR,
  REPLY_FLAG_DONE,
  REPLY_NONE,
  REPLY_OFFSET_DATA,
  REPLY_OFFSET_HOLE,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from './protocol.js';
import { type Halves, halvesOf, type NbdRequest } from './requests.js';

/** Bytes of a simple reply before a READ's data: magic, error, cookie. */
export const SIMPLE_REPLY_BYTES = 16;
/** Bytes of a structured reply before its payload: magic, flags, type, cookie, length. */
export const STRUCTURED_REPLY_BYTES = 20;
/** Bytes of an extended reply before its payload: magic, flags, type, cookie, offset, length. */
const EXTENDED_REPLY_BYTES = 32;

/** How a client wants replies: each in one piece, READs and BLOCK_STATUSes in chunks, or all in chunks with 64 bits for lengths. */
export type ReplyStyle = 'simple' | 'structured' | 'extended';

type Answered = Pick<NbdRequest, 'command' | 'cookie' | 'place'>;

/** What replies look like on the wire. */
export interface ReplyFormat {
  /** A reply without data, the last one to the request; `error` 0 is success, `message` is for people. */
  result(request: Answered, error: number, message: string): Buffer;
  /** What stands before `length` bytes of a READ's data, which follow. */
  data(request: Answered, offset: number, length: number, isLast: boolean): Buffer;
  /** Replies may have several chunks, of these kinds too. */
  readonly chunks?: {
    /** A chunk of a READ that says that bytes are zeroes. */
    hole(request: Answered, offset: number, length: number, isLast: boolean): Buffer;
    /** The one chunk that replies to a BLOCK_STATUS. */
    status(request: Answered, context: number, extents: readonly StatusExtent[]): Buffer;
  };
}

/** The header of a chunk: magic, flags, type, cookie, and from byte 16 on what `writeRest` writes. */
interface ChunkHeader {
  readonly bytes: number;
  readonly magic: number;
  /** `length` is below 2^32: no payload of a server's is longer. */
  writeRest(chunk: Buffer, request: Answered, length: number): void;
}

const structuredHeader: ChunkHeader = {
  bytes: STRUCTURED_REPLY_BYTES,
  magic: STRUCTURED_REPLY_MAGIC,
  writeRest(chunk, _, length) {
    chunk.writeUInt32BE(length, 16);
  },
};

const extendedHeader: ChunkHeader = {
  bytes: EXTENDED_REPLY_BYTES,
  magic: EXTENDED_REPLY_MAGIC,
  writeRest(chunk, { place }, length) {
    chunk.writeUInt32BE(place.high, 16);
    chunk.writeUInt32BE(place.low, 20);
    chunk.writeUInt32BE(0, 24);
    chunk.writeUInt32BE(length, 28);
  },
};

const simple: ReplyFormat = {
  result: ({ cookie }, error) => simpleReply(cookie, error),
  data: ({ cookie }) => simpleReply(cookie, 0),
};

const structured: ReplyFormat = {
  result(request, error, message) {
    const inChunks = request.command === CMD_READ || request.command === CMD_BLOCK_STATUS;
    return inChunks
      ? errorChunk(structuredHeader, request, error, message)
      : simpleReply(request.cookie, error);
  },
  data: dataChunk(structuredHeader),
  chunks: {
    hole: holeChunk(structuredHeader),
    status(request, context, extents) {
      const words = extents.flatMap(({ length, flags }) => [length, flags]);
      return wordsChunk(structuredHeader, request, REPLY_BLOCK_STATUS, [context, ...words]);
    },
  },
};

const extended: ReplyFormat = {
  result(request, error, message) {
    return error === 0
      ? startChunk(extendedHeader, request, REPLY_NONE, 0, 0, true)
      : errorChunk(extendedHeader, request, error, message);
  },
  data: dataChunk(extendedHeader),
  chunks: {
    hole: holeChunk(extendedHeader),
    status(request, context, extents) {
      const words = extents.flatMap(({ length, flags }) => {
        const { high, low } = halvesOf(length);
        return [high, low, 0, flags];
      });
      const head = [context, extents.length];
      return wordsChunk(extendedHeader, request, REPLY_BLOCK_STATUS_EXT, [...head, ...words]);
    },
  },
};

/** By what was negotiated. */
export const replyFormats: Readonly<Record<ReplyStyle, ReplyFormat>> = { simple, structured, extended };

function simpleReply(cookie: Halves, error: number): Buffer {
  const bytes = Buffer.allocUnsafe(SIMPLE_REPLY_BYTES);
  bytes.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(error, 4);
  bytes.writeUInt32BE(cookie.high, 8);
  bytes.writeUInt32BE(cookie.low, 12);
  return bytes;
}

function dataChunk(header: ChunkHeader): ReplyFormat['data'] {
  return (request, offset, length, isLast) => {
    const chunk = startChunk(header, request, REPLY_OFFSET_DATA, 8 + length, 8, isLast);
    chunk.writeBigUInt64BE(BigInt(offset), header.bytes);
    return chunk;
  };
}

function holeChunk(header: ChunkHeader): ReplyFormat['data'] {
  return (request, offset, length, isLast) => {
    const chunk = startChunk(header, request, REPLY_OFFSET_HOLE, 12, 12, isLast);
    const at = chunk.writeBigUInt64BE(BigInt(offset), header.bytes);
    chunk.writeUInt32BE(length, at);
    return chunk;
  };
}

/** The one chunk of a reply whose payload is numbers of 32 bits. */
function wordsChunk(header: ChunkHeader, request: Answered, type: number, words: readonly number[]): Buffer {
  const length = 4 * words.length;
  const chunk = startChunk(header, request, type, length, length, true);
  words.forEach((word, index) => chunk.writeUInt32BE(word, header.bytes + 4 * index));
  return chunk;
}

/** The one chunk of a request that failed. */
function errorChunk(header: ChunkHeader, request: Answered, error: number, message: string): Buffer {
  const text = Buffer.from(message);
  const length = 6 + text.length;
  const chunk = startChunk(header, request, REPLY_ERROR, length, length, true);
  const at = chunk.writeUInt32BE(error, header.bytes);
  text.copy(chunk, chunk.writeUInt16BE(text.length, at));
  return chunk;
}

/** A chunk with a payload of `length` bytes, with room for the first `room` of them. */
function startChunk(
  header: ChunkHeader,
  request: Answered,
  type: number,
  length: number,
  room: number,
  isLast: boolean,
): Buffer {
  const chunk = Buffer.allocUnsafe(header.bytes + room);
  chunk.writeUInt32BE(header.magic, 0);
  chunk.writeUInt16BE(isLast ? REPLY_FLAG_DONE : 0, 4);
  chunk.writeUInt16BE(type, 6);
  chunk.writeUInt32BE(request.cookie.high, 8);
  chunk.writeUInt32BE(request.cookie.low, 12);
  header.writeRest(chunk, request, length);
  return chunk;
}
