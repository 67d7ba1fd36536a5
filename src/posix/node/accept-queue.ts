// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Server, Socket } from 'node:net';
import { errorNumber } from './channel.js';
import type { Descriptor } from '../shared/descriptor.js';
import { errno } from '../errno.js';
import { reset } from './linger.js';

/** Fewer waiting connections than this are never rejected, however small the backlog. */
export const MIN_WAITING_CONNECTIONS = 128;
/** The most connections that may wait, however large the backlog (Linux: net.core.somaxconn). */
export const MAX_WAITING_CONNECTIONS = 4096;

interface Waiting {
  readonly socket: Socket;
  readonly descriptor: Descriptor;
}

/**
 * The connections that a server has and nobody has accepted yet.
 *
 * Node accepts from the kernel at once and knows no way to wait with it, so the queue is here. A connection beyond its
 * limit is reset; the kernel would let the peer try again. One that ends or is reset while it waits is still handed out,
 * and read then tells, as on Linux.
 */
export class AcceptQueue {
  readonly #server: Server;
  readonly #event: 'connection' | 'secureConnection';
  readonly #wrap: (socket: Socket) => Descriptor;
  readonly #changed: () => void;
  readonly #waiting: Waiting[] = [];
  #limit = MIN_WAITING_CONNECTIONS;
  #attached = false;
  #error = 0;

  readonly #onConnection = (socket: Socket): void => {
    // Also for one that is rejected: its outcome must not become an unhandled error.
    const descriptor = this.#wrap(socket);
    if (this.#waiting.length >= this.#limit) {
      reset(socket);
      return;
    }
    this.#waiting.push({ socket, descriptor });
    this.#changed();
  };
  readonly #onError = (error: Error): void => {
    this.#error = errorNumber(error);
    this.#changed();
  };

  /**
   * @param backlog as for listen
   * @param wrap makes the descriptor of a connection
   * @param changed called when there may be something to accept that was not there before
   */
  constructor(server: Server, backlog: number, wrap: (socket: Socket) => Descriptor, changed: () => void) {
    this.#server = server;
    // A TLS server's connections are ready to use later than they arrive.
    this.#event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
    this.setBacklog(backlog);
    this.#wrap = wrap;
    this.#changed = changed;
    server.on('error', this.#onError);
  }

  /** How many may wait: a negative backlog means the most there can be, as on Linux. */
  setBacklog(backlog: number): void {
    const requested = backlog < 0 ? MAX_WAITING_CONNECTIONS : backlog;
    this.#limit = Math.min(Math.max(requested, MIN_WAITING_CONNECTIONS), MAX_WAITING_CONNECTIONS);
  }

  get ready(): boolean {
    return this.#attached && (this.#waiting.length > 0 || this.#error !== 0);
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** The server's error, which is cleared, or 0. */
  takeError(): number {
    const error = this.#error;
    this.#error = 0;
    this.#changed();
    return error;
  }

  /** The oldest connection that waits; -EAGAIN when none does, the server's error once. */
  first(): Descriptor | number {
    this.attach();
    const first = this.#waiting[0];
    if (first !== undefined) return first.descriptor;
    return this.#error === 0 ? -errno.EAGAIN : -this.takeError();
  }

  shift(): void {
    this.#waiting.shift();
    this.#changed();
  }

  attach(): void {
    if (this.#attached) return;
    this.#attached = true;
    this.#server.on(this.#event, this.#onConnection);
    this.#changed();
  }

  /** Leaves new connections to the server's other listeners, and hands them those that wait as soon as there are any. */
  lend(): Server {
    this.#attached = false;
    this.#server.off(this.#event, this.#onConnection);
    process.nextTick(() => {
      this.#handOver();
    });
    this.#changed();
    return this.#server;
  }

  release(): Server {
    const server = this.lend();
    server.off('error', this.#onError);
    return server;
  }

  /** Stops listening; connections that wait are reset. */
  close(): void {
    this.#attached = false;
    this.#server.off(this.#event, this.#onConnection);
    if (this.#server.listening) this.#server.close();
    for (const { socket } of this.#waiting.splice(0)) reset(socket);
  }

  #handOver(): void {
    if (this.#attached || this.#server.listenerCount(this.#event) === 0) return;
    for (const { socket, descriptor } of this.#waiting.splice(0)) {
      descriptor.release();
      this.#server.emit(this.#event, socket);
    }
  }
}
