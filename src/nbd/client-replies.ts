// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { MissingBytes } from './missing-bytes.js';
import { NbdError, errorName } from './nbd-error.js';
import {
  MAX_PAYLOAD_BYTES,
  REPLY_ERROR,
  REPLY_ERROR_OFFSET,
  REPLY_FLAG_DONE,
  REPLY_NONE,
  REPLY_OFFSET_DATA,
  REPLY_OFFSET_HOLE,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from './protocol.js';
import type { Receiver } from './receiver.js';
import { SIMPLE_REPLY_BYTES, STRUCTURED_REPLY_BYTES } from './replies.js';

/** A request that a client waits for. */
export interface PendingRequest {
  readonly what: string;
  /** In bytes; where a READ's data starts. */
  readonly offset: number;
  /** Where a READ's data goes; empty for others. */
  readonly data: Buffer;
  /** What no chunk has brought of it. */
  readonly missing: MissingBytes;
  /** The first error that a chunk reported. */
  error: NbdError | undefined;
  readonly settle: (error: NbdError | undefined) => void;
}

export interface ReplyReaderParts {
  readonly receiver: Receiver;
  /** The request of a cookie, which stays pending, or undefined. */
  readonly find: (cookie: number) => PendingRequest | undefined;
  /** The request has its last reply: it is pending no more. */
  readonly finish: (cookie: number) => void;
  /** The server has said what cannot be understood. */
  readonly onError: (error: NbdError) => void;
}

/** Reads simple and structured replies, in whatever order they come, and settles the requests that they answer. */
export class ReplyReader {
  readonly #parts: ReplyReaderParts;
  readonly #header = Buffer.alloc(STRUCTURED_REPLY_BYTES);

  constructor(parts: ReplyReaderParts) {
    this.#parts = parts;
  }

  expectReply(): void {
    const { receiver } = this.#parts;
    const first = this.#header.subarray(0, SIMPLE_REPLY_BYTES);
    receiver.expect(first, () => {
      const magic = first.readUInt32BE(0);
      if (magic === SIMPLE_REPLY_MAGIC) return this.#simple();
      if (magic !== STRUCTURED_REPLY_MAGIC) return this.#fail('a reply without its magic');
      return receiver.expect(this.#header.subarray(SIMPLE_REPLY_BYTES), () => this.#chunk());
    });
  }

  #simple(): void {
    const cookie = cookieAt(this.#header);
    const request = this.#parts.find(cookie);
    if (!request) return this.#fail('a reply to an unknown request');
    const error = this.#header.readUInt32BE(4);
    if (error !== 0) {
      request.error = new NbdError(request.what, errorName(error));
      return this.#finish(cookie, request);
    }
    return this.#parts.receiver.expect(request.data, () => this.#finish(cookie, request));
  }

  #chunk(): void {
    const cookie = cookieAt(this.#header);
    const request = this.#parts.find(cookie);
    if (!request) return this.#fail('a reply to an unknown request');
    const last = (this.#header.readUInt16BE(4) & REPLY_FLAG_DONE) !== 0;
    const type = this.#header.readUInt16BE(6);
    const length = this.#header.readUInt32BE(16);
    const next = (): void => (last ? this.#end(cookie, request) : this.expectReply());
    if (length > MAX_PAYLOAD_BYTES + 8) return this.#fail(`a chunk of ${length} bytes`);
    if (type === REPLY_OFFSET_DATA && length > 8) return this.#data(request, length - 8, next);
    const payload = Buffer.alloc(length);
    return this.#parts.receiver.expect(payload, () => {
      const fault = this.#take(request, type, payload);
      if (fault) this.#fail(fault);
      else next();
    });
  }

  #data(request: PendingRequest, length: number, next: () => void): void {
    const { receiver } = this.#parts;
    const place = Buffer.alloc(8);
    receiver.expect(place, () => {
      const at = Number(place.readBigUInt64BE(0)) - request.offset;
      if (!request.missing.take(at, at + length))
        return this.#fail('data that was not asked for, or came before');
      return receiver.expect(request.data.subarray(at, at + length), next);
    });
  }

  /** Takes in a chunk that is not data; returns what is wrong with it if it is. */
  #take(request: PendingRequest, type: number, payload: Buffer): string | undefined {
    if (type === REPLY_NONE) return undefined;
    if ((type === REPLY_ERROR || type === REPLY_ERROR_OFFSET) && payload.length >= 6) {
      const text = payload.subarray(6, 6 + payload.readUInt16BE(4)).toString('utf8');
      request.error ??= new NbdError(
        text ? `${request.what} (${text})` : request.what,
        errorName(payload.readUInt32BE(0)),
      );
      return undefined;
    }
    if (type === REPLY_OFFSET_HOLE && payload.length === 12) {
      const at = Number(payload.readBigUInt64BE(0)) - request.offset;
      const length = payload.readUInt32BE(8);
      if (!request.missing.take(at, at + length)) return 'a hole that was not asked for, or came before';
      request.data.fill(0, at, at + length);
      return undefined;
    }
    return `a chunk of type ${type} with ${payload.length} bytes`;
  }

  /** The last chunk has come. Without an error all data has to be there: what never came must not be taken for zeroes. */
  #end(cookie: number, request: PendingRequest): void {
    const { count } = request.missing;
    if (count > 0 && !request.error) return this.#fail(`the last chunk came with ${count} bytes missing`);
    return this.#finish(cookie, request);
  }

  #finish(cookie: number, request: PendingRequest): void {
    this.#parts.finish(cookie);
    this.expectReply();
    request.settle(request.error);
  }

  #fail(message: string): void {
    this.#parts.onError(new NbdError(message, 'EPROTO'));
  }
}

/** This client's cookies are 32 bits. One of another's making is of no request here. */
function cookieAt(header: Buffer): number {
  return header.readUInt32BE(8) === 0 ? header.readUInt32BE(12) : -1;
}
