// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { connect, type Socket } from 'node:net';
import { AF_UNIX, type SocketAddress } from '../../src/posix/index.js';

/** Big-endian integers one after the other: `u8(1)`, `u16(2)`, `u32(3)`, `u64(4n)`. */
export const u16 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.from([value >>> 8, value & 0xff])));
export const u32 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => u16(value >>> 16, value & 0xffff)));
export const u64 = (...values: (number | bigint)[]): Buffer =>
  Buffer.concat(
    values.map((value) => u32(Number(BigInt(value) >> 32n), Number(BigInt(value) & 0xffffffffn))),
  );

/** An option as it goes over the wire. */
export const option = (number: number, data: Uint8Array | string = ''): Buffer =>
  Buffer.concat([Buffer.from('IHAVEOPT'), u32(number, data.length), Buffer.from(data)]);

/** The data of INFO and GO. */
export const exportRequest = (name: string, ...infos: number[]): Buffer =>
  Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name), u16(infos.length, ...infos)]);

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export const contextRequest = (name: string, ...queries: string[]): Buffer =>
  Buffer.concat([
    u32(Buffer.byteLength(name)),
    Buffer.from(name),
    u32(queries.length),
    ...queries.flatMap((query) => [u32(Buffer.byteLength(query)), Buffer.from(query)]),
  ]);

const nothing: Uint8Array = new Uint8Array(0);

/** A request as it goes over the wire. */
export const request = (
  command: number,
  { flags = 0, cookie = 1n, offset = 0n, length = 0, data = nothing } = {},
): Buffer => Buffer.concat([u32(0x25609513), u16(flags, command), u64(cookie, offset), u32(length), data]);

export interface ExtendedParts {
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly offset?: bigint;
  readonly length?: number | bigint;
  readonly data?: Uint8Array;
}

/** A request with an extended header: with `data` its length is the length of that. */
export const extendedRequest = (
  command: number,
  { flags = 0, cookie = 1n, offset = 0n, length = 0, data = nothing }: ExtendedParts = {},
): Buffer => {
  const [all, count] = data.length > 0 ? [flags | 32, data.length] : [flags, length];
  return Buffer.concat([u32(0x21e41c71), u16(all, command), u64(cookie, offset, count), data]);
};

/** A connection to an NBD server over which a test says what it likes, made by Node and not by what is tested. */
export class RawClient {
  readonly socket: Socket;
  #received: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake = (): void => {};

  /** @param localAddress the client's own, where it has an IP address */
  constructor(address: SocketAddress, localAddress?: string) {
    this.socket =
      address.family === AF_UNIX
        ? connect({ path: address.path, allowHalfOpen: true })
        : connect({
            host: address.address,
            port: address.port,
            allowHalfOpen: true,
            ...(localAddress !== undefined && { localAddress }),
          });
    this.listen(this.socket);
  }

  /** Takes what `stream` receives, too. */
  listen(stream: Socket): void {
    stream.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    // However it ends: what a test wants to know is that it did.
    stream.on('end', end).on('close', end).on('error', end);
  }

  send(...parts: Uint8Array[]): this {
    this.socket.write(Buffer.concat(parts));
    return this;
  }

  /** The next bytes; rejects when the server ends the connection before. */
  async take(count: number): Promise<Buffer> {
    while (this.#length < count) {
      if (this.#ended) throw new Error(`the server has ended after ${this.#length} of ${count} bytes`);
      await this.#more();
    }
    // What has been joined once stays so: many small messages are taken of one long chunk.
    const all = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    this.#received = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  /** All that comes until the server ends the connection, in whatever way. */
  async rest(): Promise<Buffer> {
    while (!this.#ended) await this.#more();
    return Buffer.concat(this.#received);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Takes the greeting and answers with client flags (fixed newstyle, no zeroes unless given). */
  async greet(flags = 3): Promise<this> {
    await this.take(18);
    return this.send(u32(flags));
  }

  /** An option's reply: what it is to, its type and data. */
  async reply(): Promise<{ option: number; type: number; data: Buffer }> {
    const header = await this.take(20);
    if (header.readBigUInt64BE(0) !== 0x3e889045565a9n)
      throw new Error(`${header.toString('hex')} is no option reply`);
    const data = await this.take(header.readUInt32BE(16));
    return { option: header.readUInt32BE(8), type: header.readUInt32BE(12), data };
  }

  /** All replies to an option up to the last one. */
  async replies(): Promise<{ option: number; type: number; data: Buffer }[]> {
    const replies = [await this.reply()];
    while ([2, 3, 4].includes(replies.at(-1)?.type ?? 0)) replies.push(await this.reply());
    return replies;
  }

  /** The whole handshake, up to the transmission phase of an export. */
  async go(name = '', { structured = false, extended = false, allocation = false } = {}): Promise<this> {
    await this.greet();
    if (structured || extended || allocation) {
      this.send(option(extended ? 11 : 8));
      await this.reply();
    }
    if (allocation) {
      this.send(option(10, contextRequest(name, 'base:allocation')));
      await this.replies();
    }
    this.send(option(7, exportRequest(name)));
    const last = (await this.replies()).at(-1);
    if (last?.type !== 1) throw new Error(`GO was answered with ${last?.type}: ${last?.data.toString()}`);
    return this;
  }

  /** A simple reply without data. */
  async simple(): Promise<{ cookie: bigint; error: number }> {
    const reply = await this.take(16);
    if (reply.readUInt32BE(0) !== 0x67446698) throw new Error(`${reply.toString('hex')} is no simple reply`);
    return { error: reply.readUInt32BE(4), cookie: reply.readBigUInt64BE(8) };
  }

  /** A structured reply's chunk. */
  async chunk(): Promise<{ flags: number; type: number; cookie: bigint; payload: Buffer }> {
    const header = await this.take(20);
    if (header.readUInt32BE(0) !== 0x668e33ef)
      throw new Error(`${header.toString('hex')} is no structured reply`);
    const payload = await this.take(header.readUInt32BE(16));
    return {
      flags: header.readUInt16BE(4),
      type: header.readUInt16BE(6),
      cookie: header.readBigUInt64BE(8),
      payload,
    };
  }

  /** A chunk with an extended header. */
  async extended(): Promise<{
    flags: number;
    type: number;
    cookie: bigint;
    offset: bigint;
    payload: Buffer;
  }> {
    const header = await this.take(32);
    if (header.readUInt32BE(0) !== 0x6e8a278c)
      throw new Error(`${header.toString('hex')} is no extended reply`);
    const payload = await this.take(Number(header.readBigUInt64BE(24)));
    return {
      flags: header.readUInt16BE(4),
      type: header.readUInt16BE(6),
      cookie: header.readBigUInt64BE(8),
      offset: header.readBigUInt64BE(16),
      payload,
    };
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
