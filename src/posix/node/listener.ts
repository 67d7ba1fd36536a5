// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Server, Socket } from 'node:net';
import { AcceptQueue } from './accept-queue.js';
import { AF_UNIX, formatAddress, type SocketAddress, unboundAddress } from '../address.js';
import type { Bound } from './bound.js';
import type { Descriptor } from '../shared/descriptor.js';
import { ListeningDescriptor } from '../shared/listening-descriptor.js';
import { serverAddress } from './node-address.js';
import type { NodeObject } from '../shared/node-object.js';
import { READABLE } from '../poller.js';
import type { SocketOptions } from '../shared/socket-options.js';

/** A listening socket: ready for READ while a connection waits, never for WRITE. */
export class Listener extends ListeningDescriptor {
  readonly #server: Server;
  readonly #domain: number;
  readonly #queue: AcceptQueue;
  readonly #bound: Bound | undefined;

  /**
   * @param server listens already, or is about to
   * @param backlog as for listen
   * @param wrap makes the descriptor of a connection
   * @param bound what the server was made to listen with, if that was here
   */
  constructor(
    server: Server,
    domain: number,
    options: SocketOptions,
    backlog: number,
    wrap: (socket: Socket) => Descriptor,
    bound?: Bound,
  ) {
    super(domain, options);
    this.#server = server;
    this.#domain = domain;
    this.#bound = bound;
    this.#queue = new AcceptQueue(server, backlog, wrap, () => this.#update());
    this.#queue.attach();
  }

  override describe(): string {
    return `listening on ${formatAddress(this.getsockname())}, ${this.#queue.length} waiting`;
  }

  override interestChanged(conditions: number): void {
    if ((conditions & READABLE) !== 0) this.#queue.attach();
  }

  protected override setBacklog(backlog: number): void {
    this.#queue.setBacklog(backlog);
  }

  protected override takeError(): number {
    return this.#queue.takeError();
  }

  override accept(open: (connection: Descriptor) => number): number {
    const first = this.#queue.first();
    if (typeof first === 'number') return first;
    const fd = open(first);
    if (fd >= 0) this.#queue.shift();
    return fd;
  }

  override getsockname(): SocketAddress {
    // A Unix server knows only the private path that its socket was made at.
    if (this.#bound?.address.family === AF_UNIX) return this.#bound.address;
    return serverAddress(this.#server) ?? unboundAddress(this.#domain);
  }

  override nodeObject(): NodeObject {
    return this.#queue.lend();
  }

  override release(): void {
    this.#queue.release();
  }

  override close(): void {
    this.#bound?.close();
    this.#queue.close();
  }

  #update(): void {
    this.setReady(this.#queue.ready ? READABLE : 0);
  }
}
