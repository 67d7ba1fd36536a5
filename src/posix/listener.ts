// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Server, Socket } from 'node:net';
import { AcceptQueue } from './accept-queue.js';
import { formatAddress, type SocketAddress } from './address.js';
import { Descriptor } from './descriptor.js';
import { errno } from './errno.js';
import { serverAddress, unboundAddress } from './node-address.js';
import type { NodeObject } from './node-object.js';
import { READABLE } from './poller.js';
import { SO_ERROR, SOL_SOCKET } from './posix.js';
import type { SocketOptions } from './socket-options.js';

/** A listening socket: ready for READ while a connection waits, never for WRITE. */
export class Listener extends Descriptor {
  readonly #server: Server;
  readonly #domain: number;
  readonly #options: SocketOptions;
  readonly #queue: AcceptQueue;

  /**
   * @param server listens already, or is about to
   * @param backlog as for listen
   * @param wrap makes the descriptor of a connection
   */
  constructor(
    server: Server,
    domain: number,
    options: SocketOptions,
    backlog: number,
    wrap: (socket: Socket) => Descriptor,
  ) {
    super();
    this.#server = server;
    this.#domain = domain;
    this.#options = options;
    this.#queue = new AcceptQueue(server, backlog, wrap, () => this.#update());
    this.#queue.attach();
  }

  override describe(): string {
    return `listening on ${formatAddress(this.getsockname())}, ${this.#queue.length} waiting`;
  }

  override interestChanged(conditions: number): void {
    if ((conditions & READABLE) !== 0) this.#queue.attach();
  }

  override listen(backlog: number): number {
    if (!Number.isInteger(backlog)) return -errno.EINVAL;
    this.#queue.setBacklog(backlog);
    return 0;
  }

  override accept(open: (connection: Descriptor) => number): number {
    const first = this.#queue.first();
    if (typeof first === 'number') return first;
    const fd = open(first);
    if (fd >= 0) this.#queue.shift();
    return fd;
  }

  override bind(): number {
    return -errno.EINVAL;
  }

  override connect(): number {
    return -errno.EISCONN;
  }

  override read(): number {
    return -errno.ENOTCONN;
  }

  override write(): number {
    return -errno.ENOTCONN;
  }

  override shutdown(): number {
    return -errno.ENOTCONN;
  }

  override getsockname(): SocketAddress {
    return serverAddress(this.#server) ?? unboundAddress(this.#domain);
  }

  override getpeername(): number {
    return -errno.ENOTCONN;
  }

  override setsockopt(level: number, option: number, value: number): number {
    return this.#options.set(this.#domain, level, option, value);
  }

  override getsockopt(level: number, option: number): number {
    if (level === SOL_SOCKET && option === SO_ERROR) return this.#queue.takeError();
    return this.#options.get(this.#domain, level, option);
  }

  override nodeObject(): NodeObject {
    return this.#queue.lend();
  }

  override release(): void {
    this.#queue.release();
  }

  override close(): void {
    this.#queue.close();
  }

  #update(): void {
    this.setReady(this.#queue.ready ? READABLE : 0);
  }
}
