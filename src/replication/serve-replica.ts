// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Socket } from 'node:net';
import { formatAddress, type InetAddress, SOCK_STREAM, type SocketAddress } from '../posix/address.js';
import { errnoCode } from '../posix/errno.js';
import { gaiName, gaiStrerror } from '../posix/gai.js';
import { SO_REUSEADDR, SOL_SOCKET } from '../posix/posix.js';
import { type EventId, POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import { LOG_ERR, LOG_WARNING } from '../server/logger.js';
import {
  callError,
  checkPort,
  isPeerAllowed,
  type PeerFilter,
  ReplicaError,
  type ReplicaHost,
} from './replica-host.js';

/** How long nothing is accepted after accept has failed, for want of descriptors say. */
const ACCEPT_PAUSE_SECONDS = 1;

export interface ServeReplicaOptions extends PeerFilter {
  /** A name or numeric address of this host; the first of its addresses that this host has is listened on. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one, see {@link ReplicaListener.address}. */
  readonly port: number;
  /** The server whose loop accepts. It must be running. */
  readonly server: ReplicaHost;
  /** The listener's backlog, at least 1; 1 unless given. */
  readonly maxConnections?: number;
  /** Closes the listener. */
  readonly signal?: AbortSignal;
}

/**
 * Listens for a primary, as the server of the connect module does, and gives each connection as a Node stream, one at a
 * time: while one is open (its stream has not emitted `close`), others are accepted and closed.
 *
 * Beyond the C module: IPv6, and peers are let in by address.
 *
 * @throws (rejects with) the signal's reason; RangeError for a port out of range; {@link ReplicaError} with code
 *   EADDRNOTAVAIL when this host has none of the addresses (it is to be the client then), EADDRINUSE, EAI_NONAME, …
 */
export async function serveReplica(options: ServeReplicaOptions): Promise<ReplicaListener> {
  const { host, port, server, signal } = options;
  checkPort(port, 0);
  signal?.throwIfAborted();
  const addresses = await server.posix.resolve(host, String(port));
  signal?.throwIfAborted();
  if (typeof addresses === 'number') {
    throw new ReplicaError(`${host}: ${gaiStrerror(addresses)}`, `${gaiName(addresses)}`);
  }
  let failure = new ReplicaError(`${host} has no address`, 'EAI_NONAME');
  for (const address of addresses) {
    const fd = listenOn(server, address, options.maxConnections ?? 1);
    if (typeof fd === 'number') return new ReplicaListener(server, options, fd);
    failure = fd;
    if (failure.code !== 'EADDRNOTAVAIL') break;
  }
  throw failure;
}

/** A listening descriptor, or why there is none; then it is closed. */
function listenOn({ posix }: ReplicaHost, address: InetAddress, backlog: number): number | ReplicaError {
  const fd = posix.socket(address.family, SOCK_STREAM);
  if (fd < 0) return callError('a socket for', fd, address);
  posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  const bound = posix.bind(fd, address);
  const answer = bound < 0 ? bound : posix.listen(fd, backlog);
  if (answer === 0) return fd;
  posix.close(fd);
  return callError('listen on', answer, address);
}

/** Gives the connections of {@link serveReplica}; iterate it once. It ends when it is closed. */
export class ReplicaListener implements AsyncIterable<Socket>, Disposable {
  /** Where it listens, with the port that was taken for port 0. */
  readonly address: SocketAddress;
  readonly #abort = (): void => this.close();
  #fd: number;
  #id: EventId;
  /** The connection that is open. */
  #current: Socket | undefined;
  /** Set while that connection has not been given yet. */
  #waiting: Socket | undefined;
  #wake: () => void = () => {};

  /** @param fd a listening descriptor, which the listener closes */
  constructor(
    private readonly server: ReplicaHost,
    private readonly options: ServeReplicaOptions,
    fd: number,
  ) {
    this.#fd = fd;
    this.address = server.posix.getsockname(fd) as SocketAddress;
    this.#id = this.#listen();
    if (this.#id < 0) {
      server.posix.close(fd);
      const code = errnoCode(this.#id);
      throw new ReplicaError(`registering the listener failed with ${code}`, code);
    }
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Stops listening, and ends the iteration. A connection that was given is its taker's; one that was not is destroyed. */
  close(): void {
    if (this.#fd < 0) return;
    this.server.unregisterEvent(this.#id);
    this.server.posix.close(this.#fd);
    this.#fd = -1;
    this.options.signal?.removeEventListener('abort', this.#abort);
    this.#waiting?.destroy();
    this.#waiting = undefined;
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Socket, void, undefined> {
    while (this.#fd >= 0) {
      const socket = this.#waiting;
      this.#waiting = undefined;
      if (socket !== undefined) yield socket;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #listen(): EventId {
    return this.server.registerEvent(POLL_READ_FD, this.#fd, 0, () => this.#accept());
  }

  /** A connection that cannot be accepted stays ready: without a pause the loop would spin. */
  #pause(): void {
    this.server.unregisterEvent(this.#id);
    this.#id = this.server.registerEvent(TIMEOUT, -1, ACCEPT_PAUSE_SECONDS, () => {
      this.server.unregisterEvent(this.#id);
      this.#id = this.#listen();
    });
  }

  #accept(): void {
    const { logger, posix } = this.server;
    const fd = posix.accept(this.#fd);
    if (fd < 0) {
      logger.log(LOG_ERR, `accept on ${formatAddress(this.address)}: ${errnoCode(fd)}`);
      this.#pause();
      return;
    }
    const peer = posix.getpeername(fd);
    if (typeof peer === 'number') {
      // It went away while it waited.
      posix.close(fd);
      return;
    }
    const refusal = this.#refusal(peer as InetAddress);
    if (refusal !== undefined) {
      logger.log(LOG_WARNING, `${formatAddress(peer)} is turned away: ${refusal}`);
      posix.close(fd);
      return;
    }
    const socket = posix.nodeObject(fd) as Socket;
    posix.release(fd);
    socket.once('close', () => (this.#current = undefined));
    this.#current = socket;
    this.#waiting = socket;
    this.#wake();
  }

  #refusal(peer: InetAddress): string | undefined {
    if (!isPeerAllowed(this.options, peer)) return 'its address is not allowed';
    if (this.#current !== undefined) return 'a connection is established already';
    return undefined;
  }
}
