// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type OnReadOpts, Socket } from 'node:net';
import type { BufferPool } from '../buffers.js';

/** What libuv reads at once. */
const BLOCK_BYTES = 64 << 10;
/** What came in so few bytes is copied, and its block used for the next read. */
const SMALL_BYTES = 16 << 10;

/** Bytes that came, and what they are a part of. */
interface Chunk {
  readonly bytes: Buffer;
  readonly block: Buffer;
}

/** Of Node's own members, those that a connection moves with from one object to another. */
interface SocketParts {
  _handle: { reading: boolean; readonly readStop?: () => number; readonly useUserBuffer?: unknown } | null;
  _server: unknown;
}

/**
 * The receiving side of a socket whose bytes go nowhere but to its descriptor's reads: it reads into memory of its own.
 *
 * Node allocates 64 KiB for each read of a stream, and collects the garbage when a few hundred of them have come: at 64 KiB
 * a request that takes more time than all else. Node's `onread` reads into buffers of ours, but is an option of a socket's
 * making: so the connection goes over to a new socket object ({@link dedicate}).
 */
export class DedicatedInbound {
  readonly socket: Socket;
  readonly #buffers: BufferPool<Buffer>;
  readonly #highWaterMark: number;
  readonly #changed: () => void;
  #chunks: Chunk[] = [];
  #taken = 0;
  #queued = 0;
  #ended = false;
  #reading: Buffer | undefined;
  #discarded = false;

  private constructor(
    make: (onread: OnReadOpts) => Socket,
    buffers: BufferPool<Buffer>,
    highWaterMark: number,
    first: Uint8Array | null,
    reachedEnd: () => void,
    changed: () => void,
  ) {
    this.#buffers = buffers;
    this.#reading = buffers.take(BLOCK_BYTES);
    if (first) {
      const copy = buffers.take(first.length);
      copy.set(first);
      this.#chunks.push({ bytes: copy, block: copy });
      this.#queued = first.length;
    }
    this.#highWaterMark = highWaterMark;
    this.#changed = changed;
    this.socket = make({
      buffer: () => (this.#reading ??= buffers.take(BLOCK_BYTES)),
      callback: (count) => this.#arrived(count),
    });
    this.socket.on('end', () => {
      this.#ended = true;
      reachedEnd();
      changed();
    });
    // Until then the kernel may still be given the block.
    this.socket.on('close', () => {
      if (this.#reading) this.#buffers.give(this.#reading);
      this.#reading = undefined;
    });
    this.socket.resume();
  }

  /**
   * Moves a connected socket's connection, which has nothing to send, to a new object, which it returns with its
   * receiving side; undefined when that cannot be done now, or with this version of Node, and nothing is changed. `socket` is
   * of no use afterwards.
   */
  static dedicate(
    socket: Socket,
    buffers: BufferPool<Buffer>,
    highWaterMark: number,
    reachedEnd: () => void,
    changed: () => void,
  ): DedicatedInbound | undefined {
    const old = socket as unknown as SocketParts;
    const handle = old._handle;
    const isOrdinary = Object.getPrototypeOf(socket) === Socket.prototype;
    if (!isOrdinary || !handle?.readStop || !('useUserBuffer' in handle) || !('_server' in old))
      return undefined;
    if (socket.readableEnded || socket.writableEnded) return undefined;
    if (socket.readableEncoding !== null) return undefined;
    // Without a length, from Node 26 on a read returns the first piece only.
    const first = socket.read(socket.readableLength || undefined) as Uint8Array | null;
    handle.reading = false;
    handle.readStop();
    old._handle = null;
    const make = (onread: OnReadOpts): Socket => {
      const options = { handle, allowHalfOpen: true, manualStart: true, onread };
      const made = new Socket(options);
      const own = made as unknown as SocketParts;
      // The server counts its connections, and a closed one has to be taken off.
      own._server = old._server;
      old._server = null;
      return made;
    };
    return new DedicatedInbound(make, buffers, highWaterMark, first, reachedEnd, changed);
  }

  get ready(): boolean {
    return this.#queued > 0 || this.#ended;
  }
  get ended(): boolean {
    return this.#ended;
  }

  /** It reads ahead in any case. */
  want(): void {}

  /** Copies what waits into `buffer`; 0 when nothing does. */
  read(buffer: Uint8Array): number {
    let count = 0;
    for (let chunk = this.#chunks[0]; chunk && count < buffer.length; chunk = this.#chunks[0]) {
      const { bytes, block } = chunk;
      const length = Math.min(bytes.length - this.#taken, buffer.length - count);
      this.#buffers.copy(buffer, bytes.subarray(this.#taken, this.#taken + length), count);
      count += length;
      this.#taken += length;
      if (this.#taken < bytes.length) break;
      this.#taken = 0;
      this.#chunks.shift();
      this.#buffers.give(block);
    }
    this.#queued -= count;
    this.#resume();
    return count;
  }

  finish(): void {
    this.#ended = true;
  }

  discard(): void {
    this.#discarded = true;
    for (const { block } of this.#chunks) this.#buffers.give(block);
    this.#chunks = [];
  }

  /** @returns whether to go on reading */
  #arrived(count: number): boolean {
    const block = this.#reading;
    // A socket that lingers throws away what comes.
    if (this.#discarded || block === undefined) return true;
    if (count <= SMALL_BYTES) {
      const copy = this.#buffers.take(count);
      this.#buffers.copy(copy, block.subarray(0, count), 0);
      this.#chunks.push({ bytes: copy, block: copy });
    } else {
      this.#chunks.push({ bytes: count === block.length ? block : block.subarray(0, count), block });
      this.#reading = undefined;
    }
    this.#queued += count;
    this.#changed();
    return this.#queued < this.#highWaterMark;
  }

  #resume(): void {
    if (this.#queued <= this.#highWaterMark / 2 && !this.#ended) this.socket.resume();
  }
}
