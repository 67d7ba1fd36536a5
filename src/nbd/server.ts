// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, formatAddress, type SocketAddress } from '../posix/address.js';
import { IPPROTO_TCP, type Posix, TCP_NODELAY } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { abortConnection } from '../server/abort-connection.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { MIN_REQUEST_MEMORY_BYTES, RequestMemory } from './request-memory.js';
import { Acceptor, type ListenerOptions } from '../server/acceptor.js';
import { CalmLogger } from '../server/calm-logger.js';
import { LOG_INFO, LOG_WARNING, type Logger } from '../server/logger.js';
import { probeWhenIdle, SILENCE_SECONDS } from '../server/silence.js';
import type { Completions } from '../disks/index.js';
import { sharedBuffers } from '../posix/node/shared-buffers.js';
import { type ConnectionParts, NbdConnection } from './connection.js';
import type { NbdExports } from './exports.js';
import { HandshakePace } from './handshake-pace.js';
import { DEFAULT_NBD_LIMITS, type NbdLimits } from './limits.js';
import { ordinaryBuffers } from './ordinary-buffers.js';
import type { TlsServer } from './tls.js';

/** How often stalled clients are looked for, at least. */
const MAX_STALL_LOOK_SECONDS = 5;
/** How many connections may wait to be accepted. */
const BACKLOG = 128;

/** What an NBD server works with. */
export interface NbdServerOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  readonly completions: Completions;
  readonly exports: NbdExports;
  /** With it, TLS is required of every client. */
  readonly tls?: TlsServer | undefined;
  readonly limits?: Partial<NbdLimits>;
  /** Called each time the last client has gone, while it listens. */
  readonly onIdle?: () => void;
}

/**
 * Serves disks to NBD clients (fixed newstyle protocol), on any number of addresses.
 *
 * Every descriptor is registered with the scheduler and nothing waits for a client: one that is slow, silent or malformed
 * costs its own connection and nobody else anything.
 */
export class NbdServer {
  readonly #options: NbdServerOptions;
  readonly #limits: NbdLimits;
  readonly #connectionParts: ConnectionParts;
  /** With the address of each peer that has one; the oldest first. */
  readonly #connections = new Map<NbdConnection, string | undefined>();
  #acceptors: Acceptor[] = [];
  readonly #watch: AwaitedEvent;
  /** For lines that clients can cause. */
  readonly #calm: CalmLogger;
  #stopped: (() => void) | undefined;

  constructor(options: NbdServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_NBD_LIMITS, ...options.limits };
    const { registrar, posix, logger, completions, exports, tls } = options;
    const pools = { shared: sharedBuffers, ordinary: ordinaryBuffers };
    const memory = new RequestMemory(Math.max(this.#limits.maxRequestMemoryBytes, MIN_REQUEST_MEMORY_BYTES));
    const pace = new HandshakePace(registrar, {
      perSecond: this.#limits.maxTlsHandshakesPerSecond,
      perPeerPerSecond: this.#limits.maxTlsHandshakesPerPeerPerSecond,
    });
    const calm = new CalmLogger({ registrar, clock: posix.clock, logger });
    const shared = { registrar, posix, logger, calm, completions, exports, tls, pools, memory, pace };
    this.#connectionParts = { ...shared, ...this.#limits };
    this.#watch = new AwaitedEvent(registrar, 'NBD, slow clients');
    this.#calm = calm;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How much data of requests is in memory, in bytes. */
  get requestMemoryBytes(): number {
    return this.#connectionParts.memory.usedBytes;
  }

  /** Where it listens, with the port that it got, once it does; the first address of several. */
  get address(): SocketAddress | undefined {
    return this.addresses[0];
  }

  /** Where it listens, in the order in which that began. */
  get addresses(): readonly SocketAddress[] {
    return this.#acceptors.flatMap(({ address }) => address ?? []);
  }

  /**
   * Listens, on a further address if it does already: 0, or a negative errno: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE.
   * A Unix socket's path must not exist; it goes away with {@link stop}.
   */
  listen(address: SocketAddress): number {
    return this.#serve(Acceptor.listen(address, this.#acceptorOptions()));
  }

  /** Takes over a descriptor that listens already: 0, or a negative errno, and the descriptor is closed. */
  listenOn(fd: number): number {
    return this.#serve(Acceptor.on(fd, this.#acceptorOptions()));
  }

  #acceptorOptions(): ListenerOptions {
    const { registrar, posix, logger } = this.#options;
    const onConnection = (fd: number): void => this.#accepted(fd);
    return { registrar, posix, logger, name: 'nbd', backlog: BACKLOG, onConnection };
  }

  #serve(acceptor: Acceptor | number): number {
    if (typeof acceptor === 'number') return acceptor;
    this.#acceptors.push(acceptor);
    const { address } = acceptor;
    this.#options.logger.log(LOG_INFO, `nbd: serving on ${address ? formatAddress(address) : 'a socket'}`);
    return 0;
  }

  /**
   * Stops listening, lets every connection answer what it has, for this many seconds at most (the finish time-out unless
   * given), and closes it; `done` is called when none is left.
   */
  stop(done: () => void, seconds = this.#limits.finishTimeoutSeconds): void {
    this.#stopListening();
    this.#stopped = done;
    for (const connection of this.#connections.keys()) connection.finish('the server stops', seconds);
    this.#notifyStopped();
  }

  /** Stops listening and closes every connection at once. */
  close(): void {
    this.#stopListening();
    for (const connection of this.#connections.keys()) connection.close();
  }

  #stopListening(): void {
    for (const acceptor of this.#acceptors.splice(0)) acceptor[Symbol.dispose]();
    this.#connectionParts.pace[Symbol.dispose]();
    this.#calm[Symbol.dispose]();
  }

  #accepted(fd: number): void {
    const { posix } = this.#options;
    const address = posix.getpeername(fd);
    if (typeof address === 'number') {
      // It was reset while it waited: what it may have sent is of nobody that could be counted.
      abortConnection(posix, fd);
      return;
    }
    const remote = address.family === AF_UNIX ? undefined : address;
    const peer = remote ? formatAddress(remote) : `local client ${fd}`;
    const host = remote?.address;
    const { maxConnectionsPerPeer } = this.#limits;
    if (host !== undefined && this.#connectionsOf(host) >= maxConnectionsPerPeer) {
      const limit = `limit ${maxConnectionsPerPeer} of one address reached`;
      this.#calm.log(LOG_WARNING, `nbd: rejected ${peer}: connection ${limit}`);
      abortConnection(posix, fd);
      return;
    }
    this.#makeRoom();
    if (host !== undefined) {
      // A reply must not wait for another one, and a client whose host has died must be noticed at some time.
      posix.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      probeWhenIdle(posix, fd, SILENCE_SECONDS);
    }
    const onClosed = (): void => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) {
        this.#watch.clear();
        if (this.#acceptors.length > 0) this.#options.onIdle?.();
      }
      this.#notifyStopped();
    };
    const admit = (): string | undefined => this.#refusal(peer);
    const connection = new NbdConnection(fd, { name: peer, host }, this.#connectionParts, {
      onClosed,
      admit,
    });
    this.#connections.set(connection, host);
    connection.start();
    if (!this.#watch.isSet) this.#watchStalls();
  }

  /** Lets one more client negotiate: of too many that do, the oldest of the address that has most of them goes. */
  #makeRoom(): void {
    const negotiating = [...this.#connections].filter(([connection]) => connection.isNegotiating);
    if (negotiating.length < this.#limits.maxHandshakes) return;
    const counts = new Map<string | undefined, number>();
    for (const [, host] of negotiating) counts.set(host, (counts.get(host) ?? 0) + 1);
    const most = Math.max(...counts.values());
    const oldest = negotiating.find(([, host]) => counts.get(host) === most);
    oldest?.[0].drop('newer clients came');
  }

  /** Why a client may not use a disk, or undefined. */
  #refusal(peer: string): string | undefined {
    const { maxConnections } = this.#limits;
    let serving = 0;
    for (const connection of this.#connections.keys()) if (!connection.isNegotiating) serving++;
    if (serving < maxConnections) return undefined;
    const reason = `connection limit ${maxConnections} reached`;
    this.#calm.log(LOG_WARNING, `nbd: rejected ${peer}: ${reason}`);
    return reason;
  }

  #connectionsOf(host: string): number {
    let count = 0;
    for (const other of this.#connections.values()) if (other === host) count++;
    return count;
  }

  #watchStalls(): void {
    const { stallTimeoutSeconds, idleTimeoutSeconds } = this.#limits;
    const shortest = Math.min(stallTimeoutSeconds, idleTimeoutSeconds || Infinity);
    this.#watch.setTimer(Math.ceil(Math.min(MAX_STALL_LOOK_SECONDS, shortest / 2)), () => {
      for (const connection of this.#connections.keys()) {
        connection.dropIfStalled();
        // It may have been silent for a look's time before it is seen.
        connection.dropIfSilent(SILENCE_SECONDS - MAX_STALL_LOOK_SECONDS);
        connection.finishIfIdle();
      }
      if (this.#connections.size > 0) this.#watchStalls();
    });
  }

  #notifyStopped(): void {
    if (this.#connections.size > 0 || !this.#stopped) return;
    const stopped = this.#stopped;
    this.#stopped = undefined;
    stopped();
  }
}
