// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, AF_INET6, AF_UNIX, type SocketAddress } from '../posix/address.js';
import { errno } from '../posix/errno.js';
import type { Endpoint } from './endpoint.js';
import type { BufferSizes } from './endpoint-host.js';
import type { Network, NetworkNode } from './network.js';
import { bareSegment, type Segment } from './segment.js';

/** Linux's default range of ports for sockets that were not bound. */
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** What takes new connections at an address. */
export interface SynReceiver {
  receiveSyn(from: Endpoint): void;
}

export interface MachineOptions {
  readonly name: string;
  /** Its addresses beside the loopback's; the first of a family is where its connections come from. */
  readonly addresses: readonly string[];
  readonly buffers: BufferSizes;
  /** Whether its programs may bind ports below 1024. */
  readonly privileged: boolean;
}

/** What stays of a host when its programs come and go: its addresses, its ports, and the connections' ends. */
export class Machine implements NetworkNode {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly buffers: BufferSizes;
  /** False while it is switched off: packets to it are lost. */
  isUp = true;
  readonly #privileged: boolean;
  readonly #endpoints = new Set<Endpoint>();
  /** By port, then by address. */
  readonly #listeners = new Map<number, Map<string, SynReceiver>>();
  readonly #portUsers = new Map<number, number>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  readonly network: Network;

  constructor(network: Network, options: MachineOptions) {
    this.network = network;
    this.name = options.name;
    this.addresses = options.addresses;
    this.buffers = options.buffers;
    this.#privileged = options.privileged;
  }

  get queue(): Network['queue'] {
    return this.network.queue;
  }

  get random(): Network['random'] {
    return this.network.random;
  }

  /** Ends of connections that are not over yet, with or without a descriptor. */
  get endpoints(): ReadonlySet<Endpoint> {
    return this.#endpoints;
  }

  owns(address: string): boolean {
    return isLoopback(address) || this.addresses.includes(address);
  }

  /** Whether a socket may be bound there: 0 or a negative errno. */
  checkBind(address: SocketAddress): number {
    if (address.family === AF_UNIX) return this.#listenerAt(address) ? -errno.EADDRINUSE : 0;
    if (!isWildcard(address.address) && !this.owns(address.address)) return -errno.EADDRNOTAVAIL;
    const isPrivileged = address.port > 0 && address.port < FIRST_UNPRIVILEGED_PORT;
    return isPrivileged && !this.#privileged ? -errno.EACCES : 0;
  }

  /** A free port of the ephemeral range, or a negative errno. */
  ephemeralPort(): number {
    for (let tried = FIRST_EPHEMERAL_PORT; tried <= LAST_EPHEMERAL_PORT; tried++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_EPHEMERAL_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!this.#portUsers.has(port)) return port;
    }
    return -errno.EADDRNOTAVAIL;
  }

  claimPort(address: SocketAddress): void {
    const port = portOf(address);
    this.#portUsers.set(port, (this.#portUsers.get(port) ?? 0) + 1);
  }

  releasePort(address: SocketAddress): void {
    const port = portOf(address);
    const users = (this.#portUsers.get(port) ?? 0) - 1;
    if (users > 0) this.#portUsers.set(port, users);
    else this.#portUsers.delete(port);
  }

  /** The address that a connection to `remote` comes from, its port 0; or a negative errno. */
  sourceFor(remote: SocketAddress): SocketAddress | number {
    if (remote.family === AF_UNIX) return { family: AF_UNIX, path: '' };
    if (this.owns(remote.address)) return { ...remote, port: 0 };
    const isV6 = remote.family === AF_INET6;
    const address = this.addresses.find((own) => own.includes(':') === isV6);
    if (address === undefined) return -errno.ENETUNREACH;
    const to = this.network.machineAt(this, remote.address);
    const unreachable = to && this.network.route(this, to).unreachable;
    if (unreachable?.afterSeconds === 0) return -unreachable.errno;
    return { family: remote.family, address, port: 0 };
  }

  /** Enters a listener, or returns -EADDRINUSE. */
  listen(address: SocketAddress, listener: SynReceiver): number {
    const port = portOf(address);
    const others = this.#listeners.get(port) ?? new Map<string, SynReceiver>();
    for (const other of others.keys()) if (overlaps(other, hostOf(address))) return -errno.EADDRINUSE;
    this.#listeners.set(port, others.set(hostOf(address), listener));
    return 0;
  }

  unlisten(address: SocketAddress): void {
    const port = portOf(address);
    const listeners = this.#listeners.get(port);
    listeners?.delete(hostOf(address));
    if (listeners?.size === 0) this.#listeners.delete(port);
  }

  /** Keeps an end of a connection for as long as it lives. */
  keep(endpoint: Endpoint): void {
    this.#endpoints.add(endpoint);
  }

  remove(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint);
  }

  sendSyn(from: Endpoint): void {
    const { remote } = from;
    if (remote.family !== AF_UNIX) return this.network.sendSyn(from, this, remote.address);
    this.network.route(this, this).path.send(
      0,
      () => {
        if (this.#listenerAt(remote) === undefined) from.vanish(errno.ENOENT);
        else this.receiveSyn(from);
      },
      () => from.lost(),
    );
  }

  receiveSyn(from: Endpoint): void {
    const listener = this.#listenerAt(from.remote);
    if (listener !== undefined) listener.receiveSyn(from);
    else this.send(bareSegment<Endpoint>('RST', undefined), from);
  }

  send(segment: Segment<Endpoint>, to: Endpoint): void {
    this.network.send(this, segment, to);
  }

  /** Drops every connection; the peers get a reset, or nothing. Listeners and ports go with their descriptors. */
  dropConnections(howPeersLearn: 'reset' | 'silence'): void {
    for (const endpoint of this.#endpoints) {
      if (howPeersLearn === 'reset') endpoint.reset();
      else endpoint.vanish();
    }
  }

  #listenerAt(address: SocketAddress): SynReceiver | undefined {
    const listeners = this.#listeners.get(portOf(address));
    const exact = listeners?.get(hostOf(address));
    if (exact !== undefined || address.family === AF_UNIX) return exact;
    // A listener at :: takes IPv4's connections too.
    return (address.family === AF_INET ? listeners?.get('0.0.0.0') : undefined) ?? listeners?.get('::');
  }
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** Unix sockets all have the port -1, and their path for an address. */
function portOf(address: SocketAddress): number {
  return address.family === AF_UNIX ? -1 : address.port;
}

function hostOf(address: SocketAddress): string {
  return address.family === AF_UNIX ? address.path : address.address;
}

/** Whether two listeners at these addresses, of one port, would get in each other's way. */
function overlaps(a: string, b: string): boolean {
  return a === b || covers(a, b) || covers(b, a);
}

function covers(wildcard: string, address: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && (!address.includes(':') || address === '::'));
}
