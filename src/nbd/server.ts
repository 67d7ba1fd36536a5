// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, SOCK_STREAM, formatAddress } from '../posix/address.js';
import type { SocketAddress } from '../posix/address.js';
import { errno, errnoCode } from '../posix/errno.js';
import type { Posix } from '../posix/posix.js';
import { IPPROTO_TCP, SOL_SOCKET, SO_KEEPALIVE, SO_REUSEADDR, TCP_NODELAY } from '../posix/posix.js';
import { POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventId } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_ERR, LOG_INFO, LOG_WARNING } from '../server/logger.js';
import type { Logger } from '../server/logger.js';
import type { Completions } from '../disks/index.js';
import { BufferPool } from './buffer-pool.js';
import { NbdConnection } from './connection.js';
import type { ConnectionParts } from './connection.js';
import type { NbdExports } from './exports.js';
import type { TlsServer } from './tls.js';

/** The bounds of a server, unless set otherwise. */
export const DEFAULT_NBD_LIMITS = {
  maxConnections: 128,
  maxRequestsInFlight: 128,
  maxBytesInFlight: 32 << 20,
  handshakeTimeoutSeconds: 30,
  finishTimeoutSeconds: 5,
} as const;

/** How many connections may wait to be accepted. */
const BACKLOG = 128;
/** After a failed accept, the next one is tried after this time. */
const ACCEPT_RETRY_SECONDS = 1;

export interface NbdLimits {
  /** One more is closed as soon as it has connected. */
  readonly maxConnections: number;
  /** Per connection: no further request is read while so many are in flight. */
  readonly maxRequestsInFlight: number;
  /** Per connection: no further request is read while data of so many bytes is in flight (one request may exceed it, by 32 MiB at most). */
  readonly maxBytesInFlight: number;
  readonly handshakeTimeoutSeconds: number;
  readonly finishTimeoutSeconds: number;
}

export interface NbdServerOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  readonly completions: Completions;
  readonly exports: NbdExports;
  /** With it, TLS is required of every client. */
  readonly tls?: TlsServer | undefined;
  readonly limits?: Partial<NbdLimits>;
}

/**
 * Serves disks to NBD clients (fixed newstyle protocol) on one listening address.
 *
 * Every descriptor is registered with the scheduler and nothing waits for a client: one that is slow, silent or malformed
 * costs its own connection and nobody else anything.
 */
export class NbdServer {
  readonly #options: NbdServerOptions;
  readonly #limits: NbdLimits;
  readonly #connectionParts: ConnectionParts;
  readonly #connections = new Set<NbdConnection>();
  #listenFd = -1;
  #listenEvent: EventId | undefined;
  #stopped: (() => void) | undefined;

  constructor(options: NbdServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_NBD_LIMITS, ...options.limits };
    const { registrar, posix, logger, completions, exports, tls } = options;
    const pool = new BufferPool();
    this.#connectionParts = { registrar, posix, logger, completions, exports, tls, pool, ...this.#limits };
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Where it listens, with the port that it got, once it does. */
  get address(): SocketAddress | undefined {
    const address = this.#options.posix.getsockname(this.#listenFd);
    return typeof address === 'number' ? undefined : address;
  }

  /**
   * Listens: 0, or a negative errno: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -EALREADY when it listens already.
   * A Unix socket's path must not exist; it goes away with {@link stop}.
   */
  listen(address: SocketAddress): number {
    if (this.#listenFd >= 0) return -errno.EALREADY;
    const { posix, logger } = this.#options;
    const fd = posix.socket(address.family, SOCK_STREAM);
    if (fd < 0) return fd;
    const result = this.#prepare(fd, address);
    if (result < 0) {
      posix.close(fd);
      return result;
    }
    this.#listenFd = fd;
    const event = this.#awaitEvent(POLL_READ_FD);
    if (event < 0) {
      posix.close(fd);
      this.#listenFd = -1;
      return event;
    }
    logger.log(LOG_INFO, `nbd: serving on ${formatAddress(this.address ?? address)}`);
    return 0;
  }

  #prepare(fd: number, address: SocketAddress): number {
    const { posix } = this.#options;
    if (address.family !== AF_UNIX) {
      const reuse = posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (reuse < 0) return reuse;
    }
    const bound = posix.bind(fd, address);
    return bound < 0 ? bound : posix.listen(fd, BACKLOG);
  }

  /**
   * Stops listening, lets every connection answer what it has, for at most the finish time-out, and closes it; `done` is
   * called when none is left.
   */
  stop(done: () => void): void {
    this.#stopListening();
    this.#stopped = done;
    for (const connection of this.#connections) connection.finish('the server stops');
    this.#tellStopped();
  }

  /** Stops listening and closes every connection at once. */
  close(): void {
    this.#stopListening();
    for (const connection of this.#connections) connection.close();
  }

  #stopListening(): void {
    if (this.#listenEvent !== undefined) this.#options.registrar.unregisterEvent(this.#listenEvent);
    this.#listenEvent = undefined;
    if (this.#listenFd >= 0) this.#options.posix.close(this.#listenFd);
    this.#listenFd = -1;
  }

  /** Has {@link #accept} called with the next connection, or (TIMEOUT) after a while. Answers the event or a negative errno. */
  #awaitEvent(mode: typeof POLL_READ_FD | typeof TIMEOUT): number {
    const { registrar, logger } = this.#options;
    if (this.#listenEvent !== undefined) registrar.unregisterEvent(this.#listenEvent);
    const event = registrar.registerEvent(mode, this.#listenFd, ACCEPT_RETRY_SECONDS, () => {
      if (mode === TIMEOUT) this.#awaitEvent(POLL_READ_FD);
      else this.#accept();
    });
    this.#listenEvent = event < 0 ? undefined : event;
    if (event < 0) logger.log(LOG_ERR, `nbd: accepts no more connections: ${errnoCode(event)}`);
    return event;
  }

  #accept(): void {
    const { posix, logger } = this.#options;
    for (;;) {
      const fd = posix.accept(this.#listenFd);
      if (fd === -errno.EAGAIN) return;
      if (fd < 0) {
        // Out of descriptors, say. The connection waits and stays reported, so a while passes before it is tried again.
        logger.log(LOG_ERR, `nbd: cannot accept: ${errnoCode(fd)}`);
        this.#awaitEvent(TIMEOUT);
        return;
      }
      this.#accepted(fd);
    }
  }

  #accepted(fd: number): void {
    const { posix, logger } = this.#options;
    const address = posix.getpeername(fd);
    const peer =
      typeof address === 'number' || address.family === AF_UNIX
        ? `local client ${fd}`
        : formatAddress(address);
    if (this.#connections.size >= this.#limits.maxConnections) {
      logger.log(LOG_WARNING, `nbd: ${peer} is turned away: there are ${this.#connections.size} connections`);
      posix.close(fd);
      return;
    }
    if (typeof address !== 'number' && address.family !== AF_UNIX) {
      // A reply must not wait for another one, and a client whose host has died must be noticed at some time.
      posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      posix.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    }
    const connection = new NbdConnection(fd, peer, this.#connectionParts, () => {
      this.#connections.delete(connection);
      this.#tellStopped();
    });
    this.#connections.add(connection);
    connection.start();
  }

  #tellStopped(): void {
    if (this.#connections.size > 0 || !this.#stopped) return;
    const stopped = this.#stopped;
    this.#stopped = undefined;
    stopped();
  }
}
