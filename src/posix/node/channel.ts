// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../buffers.js';
import { Socket } from 'node:net';
import { Duplex, Readable, Writable } from 'node:stream';
import { errno, errnoNumber } from '../errno.js';
import { DedicatedInbound } from './dedicated-inbound.js';
import { Inbound } from './inbound.js';
import { closeStream, reset } from './linger.js';
import { unsentMeasure } from './unsent.js';
import { currentPeer } from './node-address.js';
import type { NodeStream } from '../shared/node-object.js';
import { Outbound } from './outbound.js';
import { READABLE, WRITABLE } from '../poller.js';
import { type SentDone, SHUT_RD, SHUT_RDWR, SHUT_WR } from '../posix.js';
import type { SendSlab } from './send-slab.js';
import type { Timers } from '../timers.js';

/** What all channels of one table share. */
export interface ChannelSettings {
  readonly slab: SendSlab;
  readonly timers: Timers;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  readonly lingerSeconds: number;
}

/** The errno of a Node error; -EIO stands for one that has none. */
export function errorNumber(error: Error): number {
  const { code } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : errnoNumber(code)) ?? errno.EIO;
}

/**
 * An established byte stream in both directions over a Node stream: what read, write, shutdown and close do to it.
 *
 * Events of the Node stream reduce to three facts: an error that is pending (fetched once, by read or SO_ERROR),
 * the receiving side at its end, the sending side shut. None of them is ever taken back.
 */
export class Channel {
  readonly #settings: ChannelSettings;
  readonly #changed: () => void;
  #stream: NodeStream;
  #inbound: Inbound | DedicatedInbound | undefined;
  #outbound: Outbound | undefined;
  /** Whether it is a TCP connection that was up when it came here. */
  readonly #hasPeer: boolean;
  #pendingError = 0;
  #readShut = false;

  readonly #onError = (error: Error): void => {
    const number = errorNumber(error);
    // EPIPE is the writer's news, and write says it every time; the reader's is the end of file or a reset.
    if (number !== errno.EPIPE) this.#pendingError = number;
    // A socket's `close` comes a turn later, when the kernel has its descriptor back.
    if (this.#stream.destroyed) this.#inbound?.finish();
    this.#changed();
  };
  readonly #onClose = (): void => {
    this.#inbound?.finish();
    this.#changed();
  };

  /**
   * libuv turns a reset into an end of file when it finds it together with the last bytes. Then the kernel knows no peer
   * any more, as it would after an orderly end only if our side had ended before: in that case it stays an end of file.
   */
  readonly #onEnd = (): void => {
    const stream = this.#stream;
    if (!this.#hasPeer || !(stream instanceof Socket) || stream.writableEnded || stream.destroyed) return;
    if (this.#pendingError === 0 && currentPeer(stream) === undefined) this.#pendingError = errno.ECONNRESET;
  };

  /** @param changed called whenever the readiness may have changed */
  constructor(stream: NodeStream, settings: ChannelSettings, changed: () => void) {
    this.#stream = stream;
    this.#settings = settings;
    this.#changed = changed;
    this.#hasPeer = stream instanceof Socket && !stream.connecting && currentPeer(stream) !== undefined;
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    if (stream instanceof Readable) this.#inbound = this.#newInbound(stream);
    if (stream instanceof Writable) {
      this.#outbound = new Outbound(stream, settings.slab, settings.sendBufferBytes, changed);
    }
  }

  /** The conditions it is ready for. */
  get ready(): number {
    if (this.#pendingError !== 0) return READABLE | WRITABLE;
    const readable = this.#readShut || this.#inbound?.ready === true;
    return (readable ? READABLE : 0) | (this.#outbound?.ready === true ? WRITABLE : 0);
  }

  interestChanged(conditions: number): void {
    this.#inbound?.want((conditions & READABLE) !== 0);
  }

  read(buffer: Uint8Array): number {
    if (this.#inbound === undefined) return -errno.EBADF;
    if (buffer.length === 0) return 0;
    if (this.#isElsewhere) return -errno.EBUSY;
    const count = this.#inbound.read(buffer);
    return count > 0 ? count : this.#withoutBytes(this.#inbound.ended);
  }

  /** As {@link Posix.take}. */
  take(): Uint8Array | number {
    if (this.#inbound === undefined) return -errno.EBADF;
    if (!(this.#inbound instanceof Inbound)) return -errno.EOPNOTSUPP;
    if (this.#isElsewhere) return -errno.EBUSY;
    return this.#inbound.take() ?? this.#withoutBytes(this.#inbound.ended);
  }

  get #isElsewhere(): boolean {
    return this.#inbound instanceof Inbound && this.#inbound.isElsewhere;
  }

  /** As write(2) of a file does, that of anything but a socket returns a pending error (ENOSPC of a full disk), once. */
  write(bytes: Uint8Array): number {
    if (this.#outbound === undefined) return -errno.EBADF;
    if (this.#pendingError !== 0 && !(this.#stream instanceof Socket)) return -this.takeError();
    return this.#outbound.write(bytes);
  }

  /** As {@link Posix.send}. */
  send(parts: readonly Uint8Array[], sent: SentDone): number {
    return this.#outbound?.send(parts, sent) ?? -errno.EBADF;
  }

  /** SHUT_RD lets what has come be read and makes the rest an end of file; SHUT_WR sends what was written, then the end. */
  shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -errno.EINVAL;
    if (how !== SHUT_WR) this.#readShut = true;
    if (how !== SHUT_RD && this.#stream instanceof Writable && this.#stream.writable) this.#stream.end();
    this.#changed();
    return 0;
  }

  /** The pending error, which is cleared, or 0. */
  takeError(): number {
    const error = this.#pendingError;
    this.#pendingError = 0;
    this.#changed();
    return error;
  }

  /**
   * The Node stream, with every byte put back that was read ahead, and without listeners of ours that would take bytes
   * from its new user; the ones for `error` and `close` stay until release, so that the descriptor keeps telling the truth.
   *
   * If the end of file had been seen while bytes still waited, Node takes none back: then it is a stream that reads them
   * and the end of file, and writes to the original.
   */
  lend(): NodeStream {
    if (this.#inbound instanceof Inbound) {
      const left = this.#inbound.detach();
      if (left.length > 0) this.#replaceReader(left);
    }
    this.#outbound?.detach();
    this.#changed();
    return this.#stream;
  }

  /** Lends the stream and keeps no listener at all. */
  release(): NodeStream {
    const stream = this.lend();
    stream.off('error', this.#onError);
    stream.off('close', this.#onClose);
    return stream;
  }

  /** Whether the stream is nobody else's: see {@link dedicate}. */
  get isDedicated(): boolean {
    return this.#inbound instanceof DedicatedInbound;
  }

  /**
   * As {@link Posix.dedicate}; interest has to be set again.
   *
   * @returns the socket that the connection is behind now, or a negative errno
   */
  dedicate(buffers: BufferPool<Buffer>): Socket | number {
    const stream = this.#stream;
    const inbound = this.#inbound;
    if (!(stream instanceof Socket && inbound instanceof Inbound) || inbound.ended) return -errno.EOPNOTSUPP;
    if (stream.writableLength > 0) return -errno.EAGAIN;
    inbound.detach();
    this.#outbound?.detach();
    const { receiveBufferBytes, sendBufferBytes, slab } = this.#settings;
    const dedicated = DedicatedInbound.dedicate(
      stream,
      buffers,
      receiveBufferBytes,
      this.#onEnd,
      this.#changed,
    );
    if (dedicated === undefined) return -errno.EOPNOTSUPP;
    const { socket } = dedicated;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    this.#stream = socket;
    this.#inbound = dedicated;
    this.#outbound = new Outbound(socket, slab, sendBufferBytes, this.#changed);
    return socket;
  }

  /** Closes the stream; what write took is still sent. Errors that it meets then have nobody to hear of them, as in C. */
  close(): void {
    this.#inbound?.discard();
    closeStream(this.#stream, this.#settings.timers, this.#settings.lingerSeconds);
  }

  /** Closes the stream and drops what write took. */
  abort(): void {
    this.#inbound?.discard();
    if (this.#stream instanceof Socket) reset(this.#stream);
    else this.#stream.destroy();
  }

  /** As {@link Posix.unsent}. */
  unsent(): number {
    return this.#stream instanceof Writable && !this.#stream.destroyed ? unsentMeasure(this.#stream) : 0;
  }

  /** What a read returns when no bytes wait. */
  #withoutBytes(ended: boolean): number {
    if (this.#pendingError !== 0) return -this.takeError();
    return ended || this.#readShut ? 0 : -errno.EAGAIN;
  }

  #newInbound(stream: Readable): Inbound {
    return new Inbound(stream, this.#settings.receiveBufferBytes, this.#onEnd, this.#changed);
  }

  #replaceReader(left: Uint8Array[]): void {
    const reader = Readable.from(left, { objectMode: false });
    const old = this.#stream;
    const stream =
      old instanceof Writable && !old.destroyed ? Duplex.from({ readable: reader, writable: old }) : reader;
    stream.on('error', this.#onError);
    this.#stream = stream;
    this.#inbound = this.#newInbound(stream);
  }
}
