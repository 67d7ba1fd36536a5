// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress } from '../../posix/address.js';
import { errno, errnoCode } from '../../posix/errno.js';
import type { Posix } from '../../posix/posix.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { CalmLogger } from '../../server/calm-logger.js';
import { LOG_WARNING, type Logger, type Priority } from '../../server/logger.js';
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
/** How often a side that does not know its role yet tries to listen, a second apart each, before it gives up. */
const LISTEN_ATTEMPTS = 30;
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
  readonly #calm: CalmLogger;
  #listens = false;
  #isStopped = true;
  #isClosed = false;
  #isUp = false;
  #waits = false;
  /** Why the last attempt to listen failed. */
  #failure: { readonly call: string; readonly result: number } | undefined;
  /** The start goes on, as the next attempt is due or the connector is closed. */
  #nextAttempt: (() => void) | undefined;

  /** @throws StateError when there is no descriptor or event left */
  constructor(parts: ConnectorParts) {
    this.#parts = parts;
    this.#calm = new CalmLogger({ ...parts, clock: parts.posix.clock });
    const posix = peerCalls(parts.posix, parts.peers, {
      surplus: parts.onSurplus,
      turnedAway: (address) =>
        this.report(LOG_WARNING, `rejected ${formatAddress(address)}: its address is not allowed`),
      cannotListen: (call, result) => (this.#failure = { call, result }),
    });
    this.#struct = tdReplicationConnect({
      server: parts.registrar,
      posix,
      logger: this.#calm,
      logPrefix: 'replication',
      callback: (_, rc) => this.#called(rc),
      retryTimeoutS: RETRY_SECONDS,
      maxConnections: BACKLOG,
      fd: -1,
      listenFd: -1,
      id: -1,
    });
    this.#timer = new Timer(parts, () => {
      if (this.#nextAttempt) this.#nextAttempt();
      else this.#again();
    });
  }

  /** Logs what its peers can bring about; see {@link CalmLogger}. */
  report(priority: Priority, message: string): void {
    this.#calm.log(priority, `replication: ${message}`);
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
   * Another program at the port does not change whose address it is. Whatever else keeps this side from listening, such as
   * EMFILE, leaves that open: it is tried again every second, 30 times in all.
   *
   * @param listens what this side is to do; undefined: found out
   * @param waits whether it connects only from {@link begin} on
   * @returns whether it listens, or a negative errno when it can do neither: -ENOENT for an address that is none, what kept it
   *   from listening, or -ECANCELED when it was closed meanwhile
   */
  async start(listens: boolean | undefined, waits = false): Promise<boolean | number> {
    const init = await tdReplicationConnectInitAsync(this.#struct, this.#parts.address);
    if (init !== 0) return init;
    if (this.#isClosed) return -errno.ECANCELED;
    this.#isStopped = false;
    if (listens !== false) {
      const found = await this.#listen(listens === true);
      if (typeof found === 'number') this.#isStopped = true;
      if (found !== false) return found;
    }
    this.#waits = waits;
    if (waits) this.#isStopped = true;
    else this.#connect();
    return false;
  }

  /** Listens, now or once it can; false: this host does not have the address. */
  async #listen(isDecided: boolean): Promise<boolean | number> {
    for (let attempt = 1; ; attempt++) {
      this.#failure = undefined;
      const started = tdReplicationServerStart(this.#struct);
      if (started === SHOULD_BE_CLIENT && !isDecided) return false;
      const { call, result } = this.#failure ?? { call: 'register an event', result: -errno.ENOMEM };
      const isOwn = isDecided || started === 0 || result === -errno.EADDRINUSE;
      if (isOwn) {
        this.#listens = true;
        if (started !== 0) this.#timer.set(RETRY_SECONDS);
        return true;
      }
      if (attempt === LISTEN_ATTEMPTS) return result;
      if (attempt === 1) this.#reportUndecided(call, result);
      await this.#untilNextAttempt();
      if (this.#isClosed) return -errno.ECANCELED;
    }
  }

  #reportUndecided(call: string, result: number): void {
    const { logger, address } = this.#parts;
    const reason = `${errnoCode(result)} (${call})`;
    const message = `cannot listen at ${address}: ${reason}; the role of this side depends on it, trying again every second`;
    logger.log(LOG_WARNING, `replication: ${message}`);
  }

  async #untilNextAttempt(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#nextAttempt = resolve;
      this.#timer.set(RETRY_SECONDS);
    });
    this.#nextAttempt = undefined;
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
    if (!this.#isStopped || this.#isClosed) return;
    this.#isStopped = false;
    this.#again();
  }

  /** {@link stop} for good: {@link resume} and {@link begin} do nothing any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.stop();
    this.#timer.close();
    this.#calm[Symbol.dispose]();
    this.#nextAttempt?.();
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
