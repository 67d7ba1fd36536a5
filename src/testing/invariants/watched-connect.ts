// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import { SO_ERROR, type SocketCalls } from '../../posix/posix.js';
import {
  ERROR_CONNECTION,
  type TdReplicationConnect,
  tdReplicationClientStart,
  tdReplicationConnect,
  tdReplicationConnectInit,
  tdReplicationConnectKill,
  tdReplicationConnectStatus,
  tdReplicationServerRestart,
  tdReplicationServerStart,
} from '../../replication/block-replication.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { SimulatedHost } from '../host.js';
import type { Violations } from './violations.js';
import { WatchedRegistrar } from './watched-registrar.js';

/** The connect module's functions. */
export interface ConnectModule {
  readonly init: typeof tdReplicationConnectInit;
  readonly status: typeof tdReplicationConnectStatus;
  readonly kill: typeof tdReplicationConnectKill;
  readonly serverStart: typeof tdReplicationServerStart;
  readonly serverRestart: typeof tdReplicationServerRestart;
  readonly clientStart: typeof tdReplicationClientStart;
}

/** The module as it is. */
export const connectModule: ConnectModule = {
  init: tdReplicationConnectInit,
  status: tdReplicationConnectStatus,
  kill: tdReplicationConnectKill,
  serverStart: tdReplicationServerStart,
  serverRestart: tdReplicationServerRestart,
  clientStart: tdReplicationClientStart,
};

/** What a watched connect module works with. */
export interface WatchedConnectOptions {
  /** Whole seconds between attempts to connect; 1 unless given. */
  readonly retryTimeoutS?: number;
  /** The listener's backlog; 1 unless given. */
  readonly maxConnections?: number;
  /** Called as the module's callback is: 0 when established, negative when the client gave up. */
  readonly callback: (rc: number) => void;
  /** The module to watch; {@link connectModule} unless given. */
  readonly module?: ConnectModule;
}

/** Why a connect fails while the server is away: the client tries again. Anything else and it gives up. */
const TRIED_AGAIN: readonly number[] = [
  errno.ECONNREFUSED,
  errno.ENETUNREACH,
  errno.EAGAIN,
  errno.ECONNABORTED,
  errno.ETIMEDOUT,
];

const STATUS = { closed: -1, inProgress: 0, established: 1 };

/**
 * The connect module on a simulated host, watched: every start ends in exactly one of established, failed and killed,
 * the status tells which, and where nothing is to be left, no event and no descriptor of the module's is.
 *
 *     idle --start, restart--> started --callback 0--> established --restart--> started
 *       ^                         |                        |
 *       +---callback < 0, kill----+----------kill----------+
 */
export class WatchedConnect {
  readonly #t: TdReplicationConnect;
  readonly #module: ConnectModule;
  readonly #host: SimulatedHost;
  readonly #violations: Violations;
  readonly #events: WatchedRegistrar;
  /** The descriptors that the module has opened and not closed. */
  readonly #descriptors = new Set<number>();
  #state: 'idle' | 'started' | 'established' = 'idle';
  #attempts = 0;
  /** How the last connect has ended: a positive errno, EINPROGRESS while it has not, 0 for well. */
  #outcome = 0;

  /** @param server lives on the process that the host has at this moment */
  constructor(
    server: EventRegistrar,
    host: SimulatedHost,
    violations: Violations,
    options: WatchedConnectOptions,
  ) {
    this.#host = host;
    this.#module = options.module ?? connectModule;
    this.#violations = violations;
    this.#events = new WatchedRegistrar(server, host, violations);
    this.#t = tdReplicationConnect({
      server: this.#events,
      posix: this.#watchedCalls(host.posix),
      logger: host.logger,
      logPrefix: 'replication',
      callback: (_t, rc) => {
        this.#ended(rc);
        options.callback(rc);
      },
      retryTimeoutS: options.retryTimeoutS ?? 1,
      maxConnections: options.maxConnections ?? 1,
      fd: -1,
    });
  }

  /** The descriptor of the established connection; -1 without one. */
  get fd(): number {
    return this.#t.fd;
  }

  get isEstablished(): boolean {
    return this.#state === 'established';
  }

  /** A start has been made and has not ended. */
  get isStarted(): boolean {
    return this.#state === 'started';
  }

  /** How many starts and restarts have been accepted. */
  get attempts(): number {
    return this.#attempts;
  }

  init(name: string): number {
    return this.#module.init(this.#t, name);
  }

  serverStart(): number {
    return this.#start(() => this.#module.serverStart(this.#t));
  }

  clientStart(): number {
    return this.#start(() => this.#module.clientStart(this.#t));
  }

  /** Drops an established connection and waits for the next. */
  serverRestart(): number {
    if (this.#state === 'established') this.#state = 'idle';
    return this.#start(() => this.#module.serverRestart(this.#t));
  }

  kill(): void {
    this.#state = 'idle';
    this.#module.kill(this.#t);
    this.#checkStatus(STATUS.closed, 'after kill');
    this.#checkNothingLeft('after kill');
  }

  #start(start: () => number): number {
    if (this.#state !== 'idle') return start();
    // The start may call back before it returns.
    this.#state = 'started';
    this.#outcome = 0;
    const rc = start();
    if (rc === 0) {
      this.#attempts += 1;
      if (this.#state === 'started') this.#checkStatus(STATUS.inProgress, 'after a start');
    } else {
      this.#state = 'idle';
      this.#checkStatus(STATUS.closed, 'after a start that was refused');
      this.#checkNothingLeft('after a start that was refused');
    }
    return rc;
  }

  #ended(rc: number): void {
    if (this.#state !== 'started')
      this.#blame(`callback with ${rc}, but nothing was started (${this.#state})`);
    if (rc === 0) {
      this.#state = 'established';
      this.#checkStatus(STATUS.established, 'in the callback');
      if (!this.#isConnected(this.#t.fd))
        this.#blame(`established on descriptor ${this.#t.fd}, which is not connected`);
    } else {
      this.#state = 'idle';
      if (rc === ERROR_CONNECTION && TRIED_AGAIN.includes(this.#outcome)) {
        this.#blame(`gave up for errno ${this.#outcome}, after which it is to try again`);
      }
      this.#checkStatus(STATUS.closed, 'in the callback');
      this.#checkNothingLeft('after it failed');
    }
  }

  #isConnected(fd: number): boolean {
    const open = this.#descriptors.has(fd) ? this.#host.posix.openDescriptors() : [];
    return open.some(
      (descriptor) => descriptor.fd === fd && descriptor.description.startsWith('tcp connected'),
    );
  }

  #checkStatus(expected: number, when: string): void {
    const status = this.#module.status(this.#t);
    if (status !== expected) this.#blame(`status is ${status} ${when}, not ${expected}`);
  }

  #checkNothingLeft(when: string): void {
    if (this.#events.size > 0) this.#blame(`${this.#events.size} events are left ${when}`);
    if (this.#descriptors.size > 0)
      this.#blame(`descriptors ${[...this.#descriptors].join(', ')} are left ${when}`);
  }

  #blame(what: string): void {
    this.#violations.add(this.#host.name, `connect module: ${what}`);
  }

  /** The socket calls, keeping account of the module's own descriptors. */
  #watchedCalls(posix: SocketCalls): SocketCalls {
    const opened = (fd: number): number => {
      if (fd >= 0) this.#descriptors.add(fd);
      return fd;
    };
    return {
      socket: (domain, type, protocol) => opened(posix.socket(domain, type, protocol)),
      accept: (fd) => opened(posix.accept(fd)),
      setsockopt: (fd, level, option, value) => posix.setsockopt(fd, level, option, value),
      getsockopt: (fd, level, option) => {
        const value = posix.getsockopt(fd, level, option);
        if (option === SO_ERROR && value >= 0) this.#outcome = value;
        return value;
      },
      fcntl: (fd, command, argument) => posix.fcntl(fd, command, argument),
      bind: (fd, address) => posix.bind(fd, address),
      listen: (fd, backlog) => posix.listen(fd, backlog),
      connect: (fd, address) => {
        if (!isOpenOutcome(this.#outcome))
          this.#blame(`tries again after errno ${this.#outcome}, which is final`);
        const answer = posix.connect(fd, address);
        this.#outcome = -answer;
        return answer;
      },
      getaddrinfo: (host, port) => posix.getaddrinfo(host, port),
      close: (fd) => {
        if (!this.#descriptors.delete(fd)) this.#blame(`closes descriptor ${fd}, which is not its own`);
        return posix.close(fd);
      },
    };
  }
}

/** Whether a connect may follow on this outcome of the one before. */
function isOpenOutcome(outcome: number): boolean {
  return outcome === 0 || TRIED_AGAIN.includes(outcome);
}
