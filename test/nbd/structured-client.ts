// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import assert from 'node:assert/strict';
import { type RawClient, request } from './raw-client.js';

export const READ = 0;
export const WRITE = 1;
export const TRIM = 4;
export const WRITE_ZEROES = 6;
export const BLOCK_STATUS = 7;

export const FUA = 1;
export const NO_HOLE = 2;
export const DF = 4;
export const FAST_ZERO = 16;

/** An extent of base:allocation, in bytes. */
export interface Extent {
  readonly length: number;
  readonly isHole: boolean;
  readonly isZero: boolean;
}

export interface StructuredReply {
  /** 0 or a positive errno. */
  readonly error: number;
  /** What a READ has returned; empty after an error. */
  readonly data: Buffer;
  /** How much of it came as OFFSET_HOLE. */
  readonly holeBytes: number;
  readonly extents: readonly Extent[];
}

interface Pending {
  readonly command: number;
  readonly offset: number;
  readonly data: Buffer;
  /** The parts that have come: they must not overlap. */
  readonly parts: { readonly start: number; readonly end: number }[];
  holeBytes: number;
  extents: Extent[];
  error: number;
  readonly resolve: (reply: StructuredReply) => void;
  readonly reject: (error: unknown) => void;
}

interface RequestParts {
  readonly flags?: number;
  readonly offset: number;
  readonly length: number;
  readonly data?: Uint8Array;
}

/** Many requests at once over a connection with structured replies, whose every chunk is checked. */
export class StructuredClient {
  readonly #raw: RawClient;
  readonly #pending = new Map<bigint, Pending>();
  #cookie = 0n;

  private constructor(raw: RawClient) {
    this.#raw = raw;
  }

  static async connect(raw: RawClient): Promise<StructuredClient> {
    return new StructuredClient(await raw.go('', { allocation: true }));
  }

  request(command: number, { flags = 0, offset, length, data }: RequestParts): Promise<StructuredReply> {
    const cookie = ++this.#cookie;
    const position = BigInt(offset);
    this.#raw.send(request(command, { flags, cookie, offset: position, length, ...(data && { data }) }));
    return new Promise((resolve, reject) => {
      // Not zeroes, so that what is missing shows.
      const read = Buffer.alloc(command === READ ? length : 0, 0xee);
      const reply = { data: read, parts: [], holeBytes: 0, extents: [], error: 0 };
      this.#pending.set(cookie, { command, offset, ...reply, resolve, reject });
      if (this.#pending.size === 1) void this.#receive();
    });
  }

  async #receive(): Promise<void> {
    try {
      while (this.#pending.size > 0) await this.#message();
    } catch (error) {
      for (const { reject } of this.#pending.values()) reject(error);
    }
  }

  async #message(): Promise<void> {
    const magic = (await this.#raw.take(4)).readUInt32BE(0);
    if (magic === 0x67446698) {
      const header = await this.#raw.take(12);
      const pending = this.#of(header.readBigUInt64BE(4));
      assert.notEqual(pending.command, READ, 'data comes in chunks');
      pending.error = header.readUInt32BE(0);
      this.#end(header.readBigUInt64BE(4));
      return;
    }
    assert.equal(magic, 0x668e33ef);
    const header = await this.#raw.take(16);
    const cookie = header.readBigUInt64BE(4);
    const payload = await this.#raw.take(header.readUInt32BE(12));
    this.#chunk(this.#of(cookie), header.readUInt16BE(2), payload);
    if ((header.readUInt16BE(0) & 1) !== 0) this.#end(cookie);
  }

  #of(cookie: bigint): Pending {
    const pending = this.#pending.get(cookie);
    assert(pending, `a reply to request ${cookie}, which has ended or was not made`);
    return pending;
  }

  #chunk(pending: Pending, type: number, payload: Buffer): void {
    if (type === 0x8001) pending.error = payload.readUInt32BE(0);
    else if (type === 1) {
      const bytes = payload.subarray(8);
      bytes.copy(pending.data, take(pending, payload, bytes.length));
    } else if (type === 2) {
      const length = payload.readUInt32BE(8);
      const start = take(pending, payload, length);
      pending.data.fill(0, start, start + length);
      pending.holeBytes += length;
    } else if (type === 5) {
      for (let at = 4; at < payload.length; at += 8) {
        const flags = payload.readUInt32BE(at + 4);
        const length = payload.readUInt32BE(at);
        pending.extents.push({ length, isHole: (flags & 1) !== 0, isZero: (flags & 2) !== 0 });
      }
    } else assert.equal(type, 0);
  }

  #end(cookie: bigint): void {
    const { error, parts, data, holeBytes, extents, resolve } = this.#of(cookie);
    this.#pending.delete(cookie);
    const length = parts.reduce((sum, { start, end }) => sum + end - start, 0);
    if (error === 0) assert.equal(length, data.length, 'everything has come');
    resolve({ error, data: error === 0 ? data : Buffer.alloc(0), holeBytes, extents });
  }
}

/** Notes that a part of a READ has come. @returns where it begins */
function take({ command, offset, data, parts }: Pending, payload: Buffer, length: number): number {
  const start = Number(payload.readBigUInt64BE(0)) - offset;
  const end = start + length;
  assert.equal(command, READ);
  assert(start >= 0 && length > 0 && end <= data.length, `a part from ${start} to ${end}`);
  const isDouble = parts.some((part) => part.start < end && start < part.end);
  assert(!isDouble, `a part from ${start} to ${end} comes twice`);
  parts.push({ start, end });
  return start;
}
