// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../buffers.js';
import { sharedBuffers } from './shared-buffers.js';
import { createServer, type Socket } from 'node:net';
import { MAX_WAITING_CONNECTIONS } from './accept-queue.js';
import { AF_UNIX, formatAddress, type SocketAddress, unboundAddress } from '../address.js';
import type { BindCall } from './bind-handle.js';
import type { Bound } from './bound.js';
import { Channel, type ChannelSettings } from './channel.js';
import { checkAddress } from '../shared/check-address.js';
import { Descriptor } from '../shared/descriptor.js';
import { Dial } from './dial.js';
import { errno } from '../errno.js';
import { Listener } from './listener.js';
import { socketEnds } from './node-address.js';
import type { NodeObject } from '../shared/node-object.js';
import { READABLE, WRITABLE } from '../poller.js';
import { type SentDone, SO_ERROR, SOL_SOCKET } from '../posix.js';
import { SocketOptions } from '../shared/socket-options.js';

/** What a socket needs of the table that it is made for. */
export interface SocketSettings extends ChannelSettings {
  readonly bindCall: BindCall;
}

/**
 * A stream socket that does not listen.
 *
 *     unconnected --connect--> connecting --Node's `connect`--> connected (for good, whatever becomes of the channel)
 *          ^                    ^     \
 *          |                 connect   `error`
 *          |                    \       v
 *          +----SO_ERROR--------- failed
 *
 * Each connect dials on a Node socket of its own, since Node destroys one that was refused. (Linux fails the connect
 * after a refused one with ECONNABORTED and does not dial.)
 */
export class StreamSocket extends Descriptor {
  readonly #domain: number;
  readonly #settings: SocketSettings;
  readonly #options: SocketOptions;
  #bound: Bound | undefined;
  /** What dials, or waits to do so since the object was asked for; undefined once connected. */
  #dial: Dial | undefined;
  /** The connected Node socket and what goes through it: both are there, or neither. */
  #socket: Socket | undefined;
  #channel: Channel | undefined;
  #local: SocketAddress;
  #peer: SocketAddress | undefined;
  /** Why the last connect failed, until it is fetched. */
  #connectError = 0;
  #conditions = 0;

  constructor(domain: number, settings: SocketSettings, options = new SocketOptions()) {
    super();
    this.#domain = domain;
    this.#settings = settings;
    this.#options = options;
    this.#local = unboundAddress(domain);
  }

  /** A connection that a listener has taken. */
  static accepted(
    socket: Socket,
    domain: number,
    settings: SocketSettings,
    options: SocketOptions,
    path: string,
  ): StreamSocket {
    const descriptor = new StreamSocket(domain, settings, options);
    options.apply(socket, true);
    descriptor.#connected(socket);
    if (domain === AF_UNIX) descriptor.#local = { family: AF_UNIX, path };
    return descriptor;
  }

  override describe(): string {
    const kind = this.#domain === AF_UNIX ? 'unix' : 'tcp';
    if (this.#channel !== undefined)
      return `${kind} connected ${formatAddress(this.#local)} -> ${this.#peerText()}`;
    if (this.#dial?.underWay) return `${kind} connecting to ${this.#peerText()}`;
    return this.#bound === undefined
      ? `${kind} unconnected`
      : `${kind} bound to ${formatAddress(this.#local)}`;
  }

  override interestChanged(conditions: number): void {
    this.#conditions = conditions;
    this.#channel?.interestChanged(conditions);
    this.#update();
  }

  override bind(address: SocketAddress): number {
    if (this.#bound !== undefined || this.#isInUse) return -errno.EINVAL;
    const fault = checkAddress(address, this.#domain);
    if (fault !== 0) return fault;
    const bound = this.#settings.bindCall(address);
    if (typeof bound === 'number') return bound;
    this.#bound = bound;
    this.#local = bound.address;
    return 0;
  }

  override listen(backlog: number): Descriptor | number {
    if (!Number.isInteger(backlog) || this.#isInUse) return -errno.EINVAL;
    if (this.#bound === undefined) {
      // Linux gives an unbound TCP socket a port of its choice.
      if (this.#domain === AF_UNIX) return -errno.EINVAL;
      const outcome = this.bind(unboundAddress(this.#domain));
      if (outcome < 0) return outcome;
    }
    return this.#becomeListener(this.#bound as Bound, backlog);
  }

  override accept(): number {
    return -errno.EINVAL;
  }

  override connect(address: SocketAddress): number {
    if (this.#channel !== undefined) return -errno.EISCONN;
    if (this.#dial?.underWay) return -errno.EALREADY;
    const fault = checkAddress(address, this.#domain);
    if (fault !== 0) return fault;
    // Node cannot connect a Unix socket that has a name of its own.
    if (this.#domain === AF_UNIX && this.#bound !== undefined) return -errno.EOPNOTSUPP;
    this.#connectError = 0;
    this.#peer = address;
    // Node binds the dialling socket itself, to the address that the bound handle has held so far.
    this.#bound?.close();
    this.#dialling().start(address, this.#bound === undefined ? undefined : this.#local);
    this.#update();
    return -errno.EINPROGRESS;
  }

  override read(buffer: Uint8Array): number {
    return this.#updated(this.#channel?.read(buffer) ?? -errno.ENOTCONN);
  }

  override write(bytes: Uint8Array): number {
    return this.#updated(this.#channel?.write(bytes) ?? -errno.ENOTCONN);
  }

  override shutdown(how: number): number {
    return this.#channel?.shutdown(how) ?? -errno.ENOTCONN;
  }

  override getsockname(): SocketAddress {
    return this.#local;
  }

  override getpeername(): SocketAddress | number {
    return this.#channel === undefined || this.#peer === undefined ? -errno.ENOTCONN : this.#peer;
  }

  override setsockopt(level: number, option: number, value: number): number {
    const outcome = this.#options.set(this.#domain, level, option, value);
    const socket = this.#socket ?? this.#dial?.socket;
    if (outcome === 0 && socket !== undefined) this.#options.apply(socket, false);
    return outcome;
  }

  override getsockopt(level: number, option: number): number {
    if (level !== SOL_SOCKET || option !== SO_ERROR) return this.#options.get(this.#domain, level, option);
    if (this.#channel !== undefined) return this.#channel.takeError();
    const error = this.#connectError;
    this.#connectError = 0;
    return error;
  }

  override take(): Uint8Array | number {
    return this.#updated(this.#channel?.take() ?? -errno.ENOTCONN);
  }

  override send(parts: readonly Uint8Array[], sent: SentDone): number {
    return this.#updated(this.#channel?.send(parts, sent) ?? -errno.ENOTCONN);
  }

  override dedicate(buffers: BufferPool<Buffer> = sharedBuffers): number {
    const socket = this.#channel?.dedicate(buffers) ?? -errno.ENOTCONN;
    this.interestChanged(this.#conditions);
    if (typeof socket === 'number') return socket;
    this.#socket = socket;
    return 0;
  }

  override nodeObject(): NodeObject | undefined {
    if (this.#channel?.isDedicated) return undefined;
    return this.#channel?.lend() ?? this.#dialling().socket;
  }

  override release(): void {
    this.#bound?.close();
    this.#dial?.release();
    if (this.#channel?.isDedicated) this.#channel.close();
    else this.#channel?.release();
  }

  override close(): void {
    this.#closeUnconnected();
    this.#channel?.close();
  }
  override abort(): void {
    this.#closeUnconnected();
    this.#channel?.abort();
  }
  override unsent(): number {
    return this.#channel?.unsent() ?? 0;
  }

  /** Whether it has a Node socket already, so that it can neither be bound nor listen. */
  get #isInUse(): boolean {
    return this.#channel !== undefined || this.#dial !== undefined;
  }

  #closeUnconnected(): void {
    this.#bound?.close();
    this.#dial?.socket.destroy();
  }

  #becomeListener(bound: Bound, backlog: number): Listener | number {
    const domain = this.#domain;
    const options = this.#options;
    const path = bound.address.family === AF_UNIX ? bound.address.path : '';
    const server = createServer({ allowHalfOpen: true });
    const wrap = (socket: Socket): StreamSocket =>
      StreamSocket.accepted(socket, domain, this.#settings, options.clone(), path);
    const listener = new Listener(server, domain, options, backlog, wrap, bound);
    // A backlog of 0 would make Node take a default of its own.
    const outcome = bound.listen(server, backlog < 0 ? MAX_WAITING_CONNECTIONS : Math.max(backlog, 1));
    if (outcome < 0) return outcome;
    listener.flags = this.flags;
    return listener;
  }

  #dialling(): Dial {
    if (this.#dial !== undefined) return this.#dial;
    const dial = new Dial((error) => {
      this.#dial = undefined;
      this.#connectError = error;
      if (error === 0) this.#connected(dial.socket);
      this.#update();
    });
    this.#options.apply(dial.socket, true);
    this.#dial = dial;
    return dial;
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    this.#channel = new Channel(socket, this.#settings, () => this.#update());
    const { local, peer } = socketEnds(socket);
    if (local.family !== AF_UNIX) this.#local = local;
    if (this.#domain === AF_UNIX) this.#peer ??= peer;
    else if (peer?.family !== AF_UNIX) this.#peer = peer ?? this.#peer;
    this.interestChanged(this.#conditions);
  }

  #peerText(): string {
    return this.#peer === undefined ? '?' : formatAddress(this.#peer);
  }

  #updated<Answer>(answer: Answer): Answer {
    this.#update();
    return answer;
  }

  #update(): void {
    if (this.#channel !== undefined) this.setReady(this.#channel.ready);
    else this.setReady(this.#dial?.underWay ? 0 : READABLE | WRITABLE);
  }
}
