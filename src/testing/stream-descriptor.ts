// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, formatAddress, type SocketAddress, unboundAddress } from '../posix/address.js';
import { checkAddress } from '../posix/shared/check-address.js';
import { Descriptor } from '../posix/shared/descriptor.js';
import { errno } from '../posix/errno.js';
import { READABLE, WRITABLE } from '../posix/poller.js';
import { SHUT_RD, SHUT_RDWR, SHUT_WR, SO_ERROR, SOL_SOCKET } from '../posix/posix.js';
import { SocketOptions } from '../posix/shared/socket-options.js';
import { Endpoint } from './endpoint.js';
import { ListenerDescriptor } from './listener-descriptor.js';
import { isWildcard, type Machine } from './machine.js';

/**
 * Where a stream socket stands.
 *
 *     unconnected --connect--> connecting --established--> connected
 *          ^                        |
 *          |                        v
 *          +--SO_ERROR fetched--- failed --connect--> connecting
 *     unconnected --listen--> a ListenerDescriptor takes its place
 */
type Phase = 'unconnected' | 'connecting' | 'failed' | 'connected';

/** A simulated stream socket that does not listen. */
export class StreamDescriptor extends Descriptor {
  readonly #machine: Machine;
  readonly #family: number;
  readonly #options: SocketOptions;
  #phase: Phase = 'unconnected';
  /** The address it is bound to, by bind or by connect. */
  #local: SocketAddress | undefined;
  #isBoundByConnect = false;
  #endpoint: Endpoint | undefined;
  /** What the latest failed connect left. */
  #connectError = 0;
  #isReadShut = false;

  constructor(machine: Machine, family: number, options = new SocketOptions()) {
    super();
    this.#machine = machine;
    this.#family = family;
    this.#options = options;
    this.setReady(READABLE | WRITABLE);
  }

  /** The descriptor of a connection that a listener took. */
  static accepted(machine: Machine, endpoint: Endpoint, options: SocketOptions): StreamDescriptor {
    const stream = new StreamDescriptor(machine, endpoint.local.family, options);
    stream.#local = endpoint.local;
    stream.#phase = 'connected';
    machine.claimPort(endpoint.local);
    stream.#attach(endpoint);
    return stream;
  }

  override describe(): string {
    const kind = this.#family === AF_UNIX ? 'unix' : 'tcp';
    const local = this.#local === undefined ? '' : ` ${formatAddress(this.#local)}`;
    const remote = this.#endpoint === undefined ? '' : ` -> ${formatAddress(this.#endpoint.remote)}`;
    return `${kind} ${this.#phase}${local}${remote}`;
  }

  override close(): void {
    this.#endpoint?.close();
    this.#unbind();
  }

  override bind(address: SocketAddress): number {
    if (this.#local !== undefined || this.#phase !== 'unconnected') return -errno.EINVAL;
    const refusal = checkAddress(address, this.#family) || this.#machine.checkBind(address);
    return refusal === 0 ? this.#bindTo(address) : refusal;
  }

  override listen(backlog: number): Descriptor | number {
    if (!Number.isInteger(backlog) || this.#phase !== 'unconnected') return -errno.EINVAL;
    if (this.#local === undefined) {
      if (this.#family === AF_UNIX) return -errno.EINVAL;
      const bound = this.#bindTo(unboundAddress(this.#family));
      if (bound < 0) return bound;
    }
    const local = this.getsockname();
    const wrap = (endpoint: Endpoint): Descriptor =>
      StreamDescriptor.accepted(this.#machine, endpoint, this.#options.clone());
    const listener = new ListenerDescriptor(this.#machine, local, this.#options, backlog, wrap);
    const refusal = this.#machine.listen(local, listener);
    if (refusal < 0) return refusal;
    listener.flags = this.flags;
    return listener;
  }

  override accept(): number {
    return -errno.EINVAL;
  }

  override connect(target: SocketAddress): number {
    if (this.#phase === 'connecting') return -errno.EALREADY;
    if (this.#phase === 'connected') return -errno.EISCONN;
    const fault = checkAddress(target, this.#family);
    if (fault !== 0) return fault;
    const address = reachable(target);
    const source = this.#machine.sourceFor(address);
    if (typeof source === 'number') return source;
    const isUnbound = this.#local === undefined;
    if (isUnbound) {
      const bound = this.#bindTo(source);
      if (bound < 0) return bound;
    }
    this.#isBoundByConnect = isUnbound;
    this.#phase = 'connecting';
    this.#attach(Endpoint.connect(this.#machine, this.#localTowards(source), address));
    return -errno.EINPROGRESS;
  }

  override read(buffer: Uint8Array): number {
    if (this.#phase !== 'connected') return -errno.ENOTCONN;
    const count = (this.#endpoint as Endpoint).read(buffer);
    this.#refresh();
    return count === -errno.EAGAIN && this.#isReadShut ? 0 : count;
  }

  override write(bytes: Uint8Array): number {
    if (this.#phase !== 'connected') return -errno.ENOTCONN;
    const count = (this.#endpoint as Endpoint).write(bytes);
    this.#refresh();
    return count;
  }

  override shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -errno.EINVAL;
    if (this.#phase !== 'connected') return -errno.ENOTCONN;
    if (how !== SHUT_WR) this.#isReadShut = true;
    if (how !== SHUT_RD) (this.#endpoint as Endpoint).shutdownWrite();
    this.#refresh();
    return 0;
  }

  override getsockname(): SocketAddress {
    return this.#endpoint?.local ?? this.#local ?? unboundAddress(this.#family);
  }

  override getpeername(): SocketAddress | number {
    return this.#phase === 'connected' ? (this.#endpoint as Endpoint).remote : -errno.ENOTCONN;
  }

  override setsockopt(level: number, option: number, value: number): number {
    return this.#options.set(this.#family, level, option, value);
  }

  override getsockopt(level: number, option: number): number {
    if (level !== SOL_SOCKET || option !== SO_ERROR) return this.#options.get(this.#family, level, option);
    if (this.#phase === 'failed') {
      this.#phase = 'unconnected';
      return this.#connectError;
    }
    return this.#endpoint?.takeError() ?? 0;
  }

  /** Ends the connection with a reset; the descriptor stays. */
  reset(): void {
    this.#endpoint?.reset();
  }

  #attach(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    this.#machine.keep(endpoint);
    endpoint.changed = () => this.#endpointChanged();
    this.#refresh();
  }

  #endpointChanged(): void {
    const endpoint = this.#endpoint as Endpoint;
    if (this.#phase === 'connecting' && endpoint.state === 'gone') {
      this.#phase = 'failed';
      this.#connectError = endpoint.takeError();
      this.#endpoint = undefined;
      if (this.#isBoundByConnect) this.#unbind();
    } else this.#phase = 'connected';
    this.#refresh();
  }

  #refresh(): void {
    this.setReady(this.#readiness());
  }

  #readiness(): number {
    if (this.#phase === 'connecting') return 0;
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return READABLE | WRITABLE;
    return (this.#isReadShut || endpoint.isReadable ? READABLE : 0) | (endpoint.isWritable ? WRITABLE : 0);
  }

  #bindTo(address: SocketAddress): number {
    if (address.family === AF_UNIX) this.#local = address;
    else {
      const port = address.port === 0 ? this.#machine.ephemeralPort() : address.port;
      if (port < 0) return port;
      this.#local = { ...address, port };
    }
    this.#machine.claimPort(this.#local);
    return 0;
  }

  #unbind(): void {
    if (this.#local !== undefined) this.#machine.releasePort(this.#local);
    this.#local = undefined;
  }

  #localTowards(source: SocketAddress): SocketAddress {
    const local = this.#local as SocketAddress;
    if (local.family === AF_UNIX || source.family === AF_UNIX) return local;
    return isWildcard(local.address) ? { ...source, port: local.port } : local;
  }
}

/** Linux takes a connect to no address in particular for one to this host. */
function reachable(address: SocketAddress): SocketAddress {
  if (address.family === AF_UNIX || !isWildcard(address.address)) return address;
  return { ...address, address: address.address === '::' ? '::1' : '127.0.0.1' };
}
