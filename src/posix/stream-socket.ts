// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createServer, Socket } from 'node:net';
import { MAX_WAITING_CONNECTIONS } from './accept-queue.js';
import { AF_UNIX, formatAddress, type SocketAddress } from './address.js';
import type { BindCall, Bound } from './bind-handle.js';
import { Channel, type ChannelSettings, errorNumber } from './channel.js';
import { checkAddress } from './check-address.js';
import { Descriptor } from './descriptor.js';
import { errno } from './errno.js';
import { Listener } from './listener.js';
import { socketEnds, unboundAddress } from './node-address.js';
import type { NodeObject } from './node-object.js';
import { READABLE, WRITABLE } from './poller.js';
import { SO_ERROR, SOL_SOCKET } from './posix.js';
import { SocketOptions } from './socket-options.js';

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
 * Each connect dials on a Node socket of its own, since Node destroys one that was refused. (Linux answers the connect
 * after a refused one with ECONNABORTED and does not dial.)
 */
export class StreamSocket extends Descriptor {
  readonly #domain: number;
  readonly #settings: SocketSettings;
  readonly #options: SocketOptions;
  #bound: Bound | undefined;
  /** The Node socket that dials or is connected, or waits to dial since somebody asked for the object. */
  #socket: Socket | undefined;
  #channel: Channel | undefined;
  #local: SocketAddress;
  #peer: SocketAddress | undefined;
  /** Why the last connect failed, until it is fetched. */
  #connectError = 0;
  #conditions = 0;

  readonly #onConnect = (): void => {
    // Only the socket of this moment has this listener.
    const socket = this.#socket as Socket;
    this.#ignore(socket);
    this.#connected(socket);
  };
  readonly #onConnectError = (error: Error): void => {
    this.#connectFailed(errorNumber(error));
  };
  readonly #onConnectClose = (): void => {
    // Without an error before it, somebody who had the Node object has destroyed it.
    this.#connectFailed(errno.ECONNABORTED);
  };

  constructor(domain: number, settings: SocketSettings, options = new SocketOptions()) {
    super();
    this.#domain = domain;
    this.#settings = settings;
    this.#options = options;
    this.#local = unboundAddress(domain);
    this.#update();
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
    descriptor.#socket = socket;
    descriptor.#connected(socket);
    if (domain === AF_UNIX) descriptor.#local = { family: AF_UNIX, path };
    return descriptor;
  }

  override describe(): string {
    const kind = this.#domain === AF_UNIX ? 'unix' : 'tcp';
    if (this.#channel !== undefined)
      return `${kind} connected ${formatAddress(this.#local)} -> ${this.#peerText()}`;
    if (this.#connecting) return `${kind} connecting to ${this.#peerText()}`;
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
    if (this.#bound !== undefined || this.#socket !== undefined) return -errno.EINVAL;
    const fault = checkAddress(address, this.#domain);
    if (fault !== 0) return fault;
    const bound = this.#settings.bindCall(address);
    if (typeof bound === 'number') return bound;
    this.#bound = bound;
    this.#local = bound.address;
    return 0;
  }

  override listen(backlog: number): Descriptor | number {
    if (!Number.isInteger(backlog) || this.#socket !== undefined) return -errno.EINVAL;
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
    if (this.#connecting) return -errno.EALREADY;
    const fault = checkAddress(address, this.#domain);
    if (fault !== 0) return fault;
    // Node cannot connect a Unix socket that has a name of its own.
    if (this.#domain === AF_UNIX && this.#bound !== undefined) return -errno.EOPNOTSUPP;
    this.#connectError = 0;
    this.#peer = address;
    // Node binds the dialling socket itself, to the address that the bound handle has held so far.
    this.#bound?.close();
    const socket = this.#socket ?? this.#fresh();
    if (address.family === AF_UNIX) socket.connect({ path: address.path });
    else socket.connect({ host: address.address, port: address.port, ...this.#localEnd() });
    this.#update();
    return -errno.EINPROGRESS;
  }

  override read(buffer: Uint8Array): number {
    return this.#channel === undefined ? -errno.ENOTCONN : this.#updated(this.#channel.read(buffer));
  }

  override write(bytes: Uint8Array): number {
    return this.#channel === undefined ? -errno.ENOTCONN : this.#updated(this.#channel.write(bytes));
  }

  override shutdown(how: number): number {
    return this.#channel === undefined ? -errno.ENOTCONN : this.#channel.shutdown(how);
  }

  override getsockname(): SocketAddress {
    return this.#local;
  }

  override getpeername(): SocketAddress | number {
    return this.#channel === undefined || this.#peer === undefined ? -errno.ENOTCONN : this.#peer;
  }

  override setsockopt(level: number, option: number, value: number): number {
    const outcome = this.#options.set(this.#domain, level, option, value);
    if (outcome === 0 && this.#socket !== undefined) this.#options.apply(this.#socket, false);
    return outcome;
  }

  override getsockopt(level: number, option: number): number {
    if (level !== SOL_SOCKET || option !== SO_ERROR) return this.#options.get(this.#domain, level, option);
    if (this.#channel !== undefined) return this.#channel.takeError();
    const error = this.#connectError;
    this.#connectError = 0;
    return error;
  }

  override nodeObject(): NodeObject {
    return this.#channel?.lend() ?? this.#socket ?? this.#fresh();
  }

  override release(): void {
    this.#bound?.close();
    this.#channel?.release();
    if (this.#channel === undefined && this.#socket !== undefined) this.#ignore(this.#socket);
  }

  override close(): void {
    this.#bound?.close();
    if (this.#channel !== undefined) this.#channel.close();
    else this.#socket?.destroy();
  }

  /** Until Node has told the outcome; a socket that is destroyed meanwhile tells it with `close`. */
  get #connecting(): boolean {
    if (this.#channel !== undefined || this.#socket === undefined) return false;
    return this.#socket.connecting || this.#socket.destroyed;
  }

  #becomeListener(bound: Bound, backlog: number): Listener | number {
    const domain = this.#domain;
    const options = this.#options;
    const path = bound.address.family === AF_UNIX ? bound.address.path : '';
    const server = createServer({ allowHalfOpen: true });
    const listener = new Listener(server, domain, options, backlog, (socket) =>
      StreamSocket.accepted(socket, domain, this.#settings, options.clone(), path),
    );
    // A backlog of 0 would make Node take a default of its own.
    const outcome = bound.listen(server, backlog < 0 ? MAX_WAITING_CONNECTIONS : Math.max(backlog, 1));
    if (outcome < 0) return outcome;
    this.#bound = undefined;
    listener.flags = this.flags;
    return listener;
  }

  /** A Node socket to dial on. */
  #fresh(): Socket {
    const socket = new Socket({ allowHalfOpen: true });
    this.#options.apply(socket, true);
    socket.on('connect', this.#onConnect);
    socket.on('error', this.#onConnectError);
    socket.on('close', this.#onConnectClose);
    this.#socket = socket;
    return socket;
  }

  #ignore(socket: Socket): void {
    socket.off('connect', this.#onConnect);
    socket.off('error', this.#onConnectError);
    socket.off('close', this.#onConnectClose);
  }

  #connected(socket: Socket): void {
    this.#channel = new Channel(socket, this.#settings, () => this.#update());
    const { local, peer } = socketEnds(socket);
    if (local.family !== AF_UNIX) this.#local = local;
    if (peer.family !== AF_UNIX || this.#peer === undefined) this.#peer = peer;
    this.#channel.interestChanged(this.#conditions);
    this.#update();
  }

  #connectFailed(error: number): void {
    if (this.#socket !== undefined) this.#ignore(this.#socket);
    this.#socket = undefined;
    this.#connectError = error;
    this.#update();
  }

  /** Where the dialling socket is to be bound. */
  #localEnd(): { localAddress?: string; localPort?: number } {
    if (this.#bound === undefined || this.#local.family === AF_UNIX) return {};
    const { address, port } = this.#local;
    return port === 0 ? { localAddress: address } : { localAddress: address, localPort: port };
  }

  #peerText(): string {
    return this.#peer === undefined ? '?' : formatAddress(this.#peer);
  }

  #updated(answer: number): number {
    this.#update();
    return answer;
  }

  #update(): void {
    if (this.#channel !== undefined) this.setReady(this.#channel.ready);
    else this.setReady(this.#connecting ? 0 : READABLE | WRITABLE);
  }
}
