// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { errno } from '../errno.js';
import type { SentDone } from '../posix.js';
import { SEND_SLAB_BYTES, type SendSlab } from './send-slab.js';

/** Bytes taken and not yet with the kernel at which the send buffer is full, unless the stream's own mark is higher. */
export const DEFAULT_SEND_BUFFER_BYTES = 128 * 1024;

/**
 * The sending side of a stream: a send buffer of fixed size in front of the kernel's.
 *
 *     room --full--> full --Node's `drain`: all is with the kernel--> room
 *     either --end--> shut
 */
export class Outbound {
  readonly #stream: Writable;
  readonly #slab: SendSlab;
  readonly #limit: number;
  readonly #changed: () => void;
  /** Whether the stream has let go of the bytes once its writableLength is 0. */
  readonly #copiesAtOnce: boolean;
  #attached = false;
  #full = false;

  readonly #onDrain = (): void => {
    this.#full = false;
    this.#changed();
  };

  constructor(stream: Writable, slab: SendSlab, limit: number, changed: () => void) {
    this.#stream = stream;
    this.#slab = slab;
    // Node promises `drain` only above its own mark.
    this.#limit = Math.max(limit, stream.writableHighWaterMark);
    this.#changed = changed;
    // A net.Socket hands its bytes to the kernel; any other stream, a Transform say, may hold on to the chunk itself.
    this.#copiesAtOnce = Object.getPrototypeOf(stream) === Socket.prototype;
  }

  /** A write would not have to wait: there is room, or it would fail at once. */
  get ready(): boolean {
    return !this.#full || !this.#stream.writable;
  }

  /** Bytes taken: 0 to all of them; -EAGAIN when there is no room, -EPIPE when nothing can be sent any more. */
  write(bytes: Uint8Array): number {
    const stream = this.#stream;
    if (!stream.writable) return -errno.EPIPE;
    if (bytes.length === 0) return 0;
    this.#attach();
    let count = 0;
    while (count < bytes.length) {
      const room = Math.min(this.#limit - stream.writableLength, SEND_SLAB_BYTES);
      if (room <= 0) break;
      const part = bytes.subarray(count, count + room);
      this.#send(part);
      if (stream.errored) return -errno.EPIPE;
      count += part.length;
    }
    this.#noteLimit();
    return count === 0 ? -errno.EAGAIN : count;
  }

  /** Takes all of the parts, without copying them, or nothing: -EAGAIN, -EPIPE, -EOPNOTSUPP. See {@link Posix.send}. */
  send(parts: readonly Uint8Array[], sent: SentDone): number {
    const stream = this.#stream;
    const last = parts.at(-1);
    if (!this.#copiesAtOnce || last === undefined) return -errno.EOPNOTSUPP;
    if (!stream.writable) return -errno.EPIPE;
    this.#attach();
    if (this.#noteLimit()) return -errno.EAGAIN;
    let length = last.length;
    stream.cork();
    for (const part of parts.slice(0, -1)) {
      stream.write(part);
      length += part.length;
    }
    // Node reports no error for a write that was under way when the stream was destroyed.
    stream.write(last, (error) => sent(stream.destroyed || !!error));
    stream.uncork();
    this.#noteLimit();
    return length;
  }

  detach(): void {
    this.#attached = false;
    this.#full = false;
    this.#stream.off('drain', this.#onDrain);
  }

  /** Full from now on, if the limit is reached. @returns whether it is */
  #noteLimit(): boolean {
    const isReached = this.#stream.writableLength >= this.#limit;
    if (isReached) this.#full = true;
    return isReached;
  }

  #attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    this.#stream.on('drain', this.#onDrain);
  }

  #send(bytes: Uint8Array): void {
    const stream = this.#stream;
    if (!this.#copiesAtOnce) {
      stream.write(Buffer.from(bytes));
      return;
    }
    stream.write(this.#slab.copy(bytes));
    if (stream.writableLength > 0) this.#slab.keep();
  }
}
