// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress } from '../../posix/address.js';
import type { Posix } from '../../posix/posix.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { LOG_WARNING, type Logger } from '../../server/logger.js';
import {
  CONNECTION_ESTABLISHED,
  CONNECTION_IN_PROGRESS,
  type TdReplicationConnect,
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectKill,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../block-replication.js';
import { tdReplicationConnectInitAsync } from '../init-async.js';
import type { PeerFilter } from '../replica-host.js';
import { peerCalls } from './peer-calls.js';
import { Timer } from './timer.js';

/** How long the connect module waits between two attempts, and this between two of its uses. */
const RETRY_SECONDS = 1;
const BACKLOG = 16;
/** What tdReplicationServerStart returns when the host does not have the address. */
const SHOULD_BE_CLIENT = -2;

export interface ConnectorParts {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** HOST:PORT. */
  readonly address: string;
  readonly peers: PeerFilter;
  /** A connection is there; its descriptor is the taker's. {@link Connector.next} asks for another one. */
  readonly onConnection: (fd: number, peer: string) => void;
  /** Another connection came meanwhile; its descriptor is the taker's. */
  readonly onSurplus: (fd: number) => void;
}

/**
 * Connections to the other side, one at a time, made by the connect module.
 *
 *     stopped --start--> listening or connecting --> established (with its taker) --next--> listening or connecting
 */
export class Connector {
  readonly #parts: ConnectorParts;
  readonly #struct: TdReplicationConnect<ReturnType<typeof peerCalls>>;
  readonly #timer: Timer;
  #listens = false;
  #isStopped = true;
  #isClosed = false;
  #isUp = false;
  #waits = false;

  /** @throws Error when there is no descriptor or event left */
  constructor(parts: ConnectorParts) {
    this.#parts = parts;
    const posix = peerCalls(parts.posix, parts.peers, {
      surplus: parts.onSurplus,
      turnedAway: (address) =>
        parts.logger.log(
          LOG_WARNING,
          `replication: rejected ${formatAddress(address)}: its address is not allowed`,
        ),
    });
    this.#struct = tdReplicationConnect({
      server: parts.registrar,
      posix,
      logger: parts.logger,
      logPrefix: 'replication',
      callback: (_, rc) => this.#called(rc),
      retryTimeoutS: RETRY_SECONDS,
      maxConnections: BACKLOG,
      fd: -1,
      listenFd: -1,
      id: -1,
    });
    this.#timer = new Timer(parts, () => this.#again());
  }

  get listens(): boolean {
    return this.#listens;
  }
  get state(): 'none' | 'listening' | 'connecting' | 'established' {
    if (this.#isUp) return 'established';
    if (this.#isStopped) return 'none';
    return this.#listens ? 'listening' : 'connecting';
  }

  /**
   * Finds out whether this host has the address, and listens there if it does; otherwise, or when it is not to, connects.
   *
   * @param listens what this side is to do; undefined: found out
   * @param waits whether it connects only from {@link begin} on
   * @returns whether it listens, or a negative errno when it can do neither
   */
  async start(listens: boolean | undefined, waits = false): Promise<boolean | number> {
    const init = await tdReplicationConnectInitAsync(this.#struct, this.#parts.address);
    if (init !== 0) return init;
    this.#isStopped = false;
    if (listens !== false) {
      const started = tdReplicationServerStart(this.#struct);
      this.#listens = started !== SHOULD_BE_CLIENT || listens === true;
      if (started === 0) return true;
      if (this.#listens) {
        // Somebody else has the port for now.
        this.#timer.set(RETRY_SECONDS);
        return true;
      }
    }
    this.#waits = waits;
    if (waits) this.#isStopped = true;
    else this.#connect();
    return false;
  }

  /** The last connection is over: makes the next one, after a while if that is asked for. */
  next(afterSeconds: number): void {
    this.#isUp = false;
    if (this.#isStopped) return;
    if (this.#listens) this.#again();
    else this.#timer.set(Math.max(afterSeconds, RETRY_SECONDS));
  }

  /** Makes no connection from now on; one that was given stays its taker's. {@link next} does nothing until {@link resume}. */
  stop(): void {
    this.#isStopped = true;
    this.#waits = false;
    this.#timer.clear();
    tdReplicationConnectKill(this.#struct);
  }

  /** Makes the connection that {@link start} has put off. */
  begin(): void {
    if (this.#waits) this.resume();
  }

  resume(): void {
    this.#waits = false;
    if (!this.#isStopped || this.#isClosed) return;
    this.#isStopped = false;
    this.#again();
  }

  /** {@link stop} for good: {@link resume} and {@link begin} do nothing any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.stop();
    this.#timer.close();
  }

  #again(): void {
    if (this.#isStopped) return;
    if (!this.#listens) {
      this.#connect();
      return;
    }
    // The module no longer has the descriptor: restarting must not close a number that has been reused.
    const result = tdReplicationServerRestart(this.#struct);
    if (result !== 0) this.#timer.set(RETRY_SECONDS);
  }

  #connect(): void {
    if (this.#struct.status === CONNECTION_ESTABLISHED) tdReplicationConnectKill(this.#struct);
    if (this.#struct.status === CONNECTION_IN_PROGRESS) return;
    if (tdReplicationClientStart(this.#struct) !== 0) this.#timer.set(RETRY_SECONDS);
  }

  #called(rc: number): void {
    if (rc !== 0) {
      this.#timer.set(RETRY_SECONDS);
      return;
    }
    const { fd } = this.#struct;
    this.#struct.fd = -1;
    this.#isUp = true;
    const peer = this.#parts.posix.getpeername(fd);
    this.#parts.onConnection(fd, typeof peer === 'number' ? 'unknown' : formatAddress(peer));
  }
}
