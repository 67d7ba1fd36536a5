// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Server, Socket } from 'node:net';
import { AF_INET, AF_INET6, AF_UNIX, type SocketAddress } from '../address.js';

/** The address that Node reports for an end of an IP socket. */
export interface NodeAddress {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

/** Node's address as ours, or undefined when Node has none (a Unix socket, or a socket that is gone). */
export function fromNodeAddress({ address, port }: NodeAddress): SocketAddress | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { family: address.includes(':') ? AF_INET6 : AF_INET, address, port };
}

/** Where a server listens, or undefined while it does not. */
export function serverAddress(server: Server): SocketAddress | undefined {
  const address = server.address();
  if (address === null) return undefined;
  return typeof address === 'string' ? { family: AF_UNIX, path: address } : fromNodeAddress(address);
}

/**
 * Where a TCP socket's peer is, asked of the kernel now; undefined when the connection is over, and for other sockets.
 *
 * Node keeps the first answer on the socket, and would give it for a connection that is long gone. Asked through a proxy
 * that keeps for itself what is set on it, Node asks again each time. (An object that inherits from the socket would do as
 * well, but V8 slows down every access to an object that is a prototype.)
 */
export function currentPeer(socket: Socket): SocketAddress | undefined {
  const kept = new Map<PropertyKey, unknown>();
  const asked = new Proxy(socket, {
    get: (target, name, proxy) => (kept.has(name) ? kept.get(name) : Reflect.get(target, name, proxy)),
    set: (_target, name, value) => {
      kept.set(name, value);
      return true;
    },
  });
  return fromNodeAddress({ address: asked.remoteAddress, port: asked.remotePort });
}

/**
 * The two ends of a connected socket; what Node does not know of a Unix socket is an unnamed one. The peer of a TCP connection
 * that was reset is undefined: nobody knows any more who it was, and least of all is it a process of this host.
 */
export function socketEnds(socket: Socket): { local: SocketAddress; peer: SocketAddress | undefined } {
  const unnamed: SocketAddress = { family: AF_UNIX, path: '' };
  const local = fromNodeAddress({ address: socket.localAddress, port: socket.localPort });
  return { local: local ?? unnamed, peer: currentPeer(socket) ?? (local ? undefined : unnamed) };
}
