// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import type { Socket } from 'node:net';
import { formatAddress, type InetAddress } from '../posix/address.js';
import { errnoCode } from '../posix/errno.js';
import { gaiName, gaiStrerror } from '../posix/gai.js';
import { Acceptor, listenOn } from '../server/acceptor.js';
import { LOG_WARNING } from '../server/logger.js';
import { probeWhenIdle, SILENCE_SECONDS } from '../server/silence.js';
import { TapdiskServer } from '../server/tapdisk-server.js';
import {
  callError,
  checkPort,
  isPeerAllowed,
  type PeerFilter,
  ReplicaError,
  type ReplicaHost,
  warnUnlessRunning,
} from './replica-host.js';

export interface ServeReplicaOptions extends PeerFilter {
  /** A name or numeric address of this host; the first of its addresses that this host has is listened on. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one, see {@link ReplicaListener.address}. */
  readonly port: number;
  /** The server whose loop accepts; it must be running. One of its own, until it is closed, unless given. */
  readonly server?: ReplicaHost;
  /** The listener's backlog, at least 1; 1 unless given. */
  readonly maxConnections?: number;
  /**
   * A connection fails with ETIMEDOUT when the peer's host does not respond for this long while it is idle, so that it does not
   * hold the place for hours: 0 leaves it to the kernel; `SILENCE_SECONDS` unless given. That nothing is sent is no
   * silence.
   */
  readonly silenceSeconds?: number;
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
  const { port, server, signal } = options;
  checkPort(port, 0);
  signal?.throwIfAborted();
  if (server !== undefined) return listenOnHost(server, options, warnUnlessRunning(server));
  const own = new TapdiskServer();
  const running = own.run({ signals: false });
  const stop = (): void => {
    own.stop();
    // What its callbacks throw is our bug, and must not be lost.
    void running;
  };
  try {
    return await listenOnHost(own, options, stop);
  } catch (error) {
    stop();
    throw error;
  }
}

/** @param closed called once the listener is closed */
async function listenOnHost(
  server: ReplicaHost,
  options: ServeReplicaOptions,
  closed: () => void,
): Promise<ReplicaListener> {
  const { host, port, signal } = options;
  const addresses = await server.posix.resolve(host, String(port));
  signal?.throwIfAborted();
  if (typeof addresses === 'number') {
    throw new ReplicaError(`${host}: ${gaiStrerror(addresses)}`, `${gaiName(addresses)}`);
  }
  let failure = new ReplicaError(`${host} has no address`, 'EAI_NONAME');
  for (const address of addresses) {
    const fd = listenOn(server.posix, address, options.maxConnections ?? 1);
    if (fd >= 0) return new ReplicaListener(server, options, fd, closed);
    failure = callError('listen on', fd, address);
    if (failure.code !== 'EADDRNOTAVAIL') break;
  }
  throw failure;
}

/** Gives the connections of {@link serveReplica}; iterate it once. It ends when it is closed. */
export class ReplicaListener implements AsyncIterable<Socket>, Disposable {
  /** Where it listens, with the port that was taken for port 0. */
  readonly address: InetAddress;
  readonly #forgetSignal: () => void;
  readonly #abort = (): void => this.close();
  readonly #acceptor: Acceptor;
  #closed = false;
  /** The connection that is open. */
  #current: Socket | undefined;
  /** Set while that connection has not been given yet. */
  #waiting: Socket | undefined;
  #wake: () => void = () => {};

  private readonly server: ReplicaHost;
  private readonly options: ServeReplicaOptions;
  private readonly closed: () => void;

  /**
   * @param fd a listening descriptor, which the listener closes
   * @throws ReplicaError when there is no event for it; the descriptor is closed then
   */
  constructor(server: ReplicaHost, options: ServeReplicaOptions, fd: number, closed: () => void) {
    this.server = server;
    this.options = options;
    this.closed = closed;
    this.address = server.posix.getsockname(fd) as InetAddress;
    const acceptor = Acceptor.on(fd, {
      registrar: server,
      posix: server.posix,
      logger: server.logger,
      name: formatAddress(this.address),
      onConnection: (connection) => this.#onConnection(connection),
    });
    if (typeof acceptor === 'number') {
      const code = errnoCode(acceptor);
      throw new ReplicaError(`registering the listener failed with ${code}`, code);
    }
    this.#acceptor = acceptor;
    this.#forgetSignal = whenAborted(options.signal, this.#abort);
  }

  /** Stops listening, and ends the iteration. A connection that was given is its taker's; one that was not is destroyed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#acceptor[Symbol.dispose]();
    this.#forgetSignal();
    this.#waiting?.destroy();
    this.#waiting = undefined;
    this.#wake();
    this.closed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The next connection.
   *
   * @throws (rejects with) {@link ReplicaError} ECANCELED once it is closed
   */
  async accept(): Promise<Socket> {
    const socket = await this.#next();
    if (socket === undefined) throw new ReplicaError('the listener is closed', 'ECANCELED');
    return socket;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Socket, void, undefined> {
    for (let socket = await this.#next(); socket !== undefined; socket = await this.#next()) yield socket;
  }

  /** The next connection, or undefined once it is closed. */
  async #next(): Promise<Socket | undefined> {
    while (!this.#closed && this.#waiting === undefined) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const socket = this.#waiting;
    this.#waiting = undefined;
    return socket;
  }

  #onConnection(fd: number): void {
    const { logger, posix } = this.server;
    const peer = posix.getpeername(fd);
    if (typeof peer === 'number') {
      // It went away while it waited.
      posix.close(fd);
      return;
    }
    const refusal = this.#refusal(peer as InetAddress);
    if (refusal !== undefined) {
      logger.log(LOG_WARNING, `${formatAddress(peer)} rejected: ${refusal}`);
      posix.close(fd);
      return;
    }
    probeWhenIdle(posix, fd, this.options.silenceSeconds ?? SILENCE_SECONDS);
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
