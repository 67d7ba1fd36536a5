// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_INET, formatAddress, type Inet4Address, type SocketAddress } from '../posix/address.js';
import { errno, errnoCode, inWords } from '../posix/errno.js';
import { gaiStrerror } from '../posix/gai.js';
import type { NodePosix } from '../posix/index.js';
import {
  type TdReplicationCallback,
  tdReplicationConnect,
  tdReplicationConnectInitAsync,
} from '../replication/index.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_INFO, type Logger, type Priority } from '../server/logger.js';
import { observedCalls } from './observed-calls.js';
import { resetConnection } from './reset-connection.js';
import { TransferError } from './transfer-error.js';
import { type ConnectionState, connectionState, type TransferStatus } from './transfer-status.js';

/** How long a primary waits before it tries to connect again. */
export const RETRY_SECONDS = 1;
/** Connections that wait to be accepted. */
const BACKLOG = 16;

export interface ConnectionOptions {
  readonly registrar: EventRegistrar;
  readonly posix: NodePosix;
  readonly logger: Logger;
  /** HOST:PORT, with a name or an IPv4 address. */
  readonly name: string;
  readonly callback: TdReplicationCallback;
  /** A connect begins. */
  readonly onConnect?: () => void;
  /** A call of the connect module failed, or a connect that was under way; `error` is a positive errno. */
  readonly onFailedCall?: (call: string, error: number) => void;
  /** Whether a connection of this address is taken; one that is not is reset at once, and nothing is made of it. */
  readonly admits?: (address: SocketAddress) => boolean;
  /** A connection came while there is one: the module closes it as soon as this returns. */
  readonly onFurther?: (fd: number) => void;
}

/**
 * The connect module's struct of a role, with what the module itself keeps for its log alone.
 *
 * What the module logs is for following it: a role reports its faults itself, each once.
 */
export class Connection {
  readonly struct;
  readonly #options: ConnectionOptions;
  #attempts = 0;
  #lastError = 0;
  /** When the attempt that is under way began. */
  #attemptSince: number | undefined;
  #hasAddress = false;
  /** Which the attempts take in turn: the module itself knows one. */
  #addresses: readonly Inet4Address[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const posix = observedCalls(options.posix, {
      connects: () => {
        this.#attempts += 1;
        this.#attemptSince = options.posix.clock.now();
        options.onConnect?.();
      },
      admits: (fd) => this.#admits(fd),
      accepted: (fd) => {
        if (this.state === 'established') options.onFurther?.(fd);
      },
      failed: (call, error) => this.#onFailedCall(call, error),
    });
    const given = {
      server: options.registrar,
      posix,
      logger: {
        log: (priority: Priority, line: string) =>
          options.logger.log(Math.max(priority, LOG_INFO) as Priority, line),
      },
      logPrefix: 'replication',
      callback: options.callback,
      retryTimeoutS: RETRY_SECONDS,
      maxConnections: BACKLOG,
      // A zero would be closed as the connection of a listener that has none.
      fd: -1,
    };
    this.struct = Object.assign(tdReplicationConnect(given), { posix });
  }

  /** @throws (rejects with) TransferError when the name has no IPv4 address */
  async lookUp(): Promise<void> {
    const { name, posix } = this.#options;
    this.#hasAddress = (await tdReplicationConnectInitAsync(this.struct, name)) === 0;
    const colon = name.indexOf(':');
    const answer = posix.getaddrinfo(name.slice(0, colon), name.slice(colon + 1));
    if (this.#hasAddress && typeof answer !== 'number') {
      this.#addresses = answer.filter((address) => address.family === AF_INET);
      return;
    }
    const reason =
      typeof answer === 'number' ? gaiStrerror(answer) : 'it has only IPv6 addresses; IPv4 is required';
    throw new TransferError('ENOENT', `cannot find ${name}: ${reason}`);
  }

  /** The IPv4 addresses of the name, in the resolver's order, once it has been looked up. */
  get addresses(): readonly Inet4Address[] {
    return this.#addresses;
  }

  /** Only connects to these, of which there is at least one, in turn; the next attempt takes the first. */
  restrictTo(addresses: readonly [Inet4Address, ...Inet4Address[]]): void {
    this.#addresses = addresses;
    [this.struct.sa] = addresses;
  }

  /** The next attempt takes the address after the one that the last took. */
  useNextAddress(): void {
    const { sa } = this.struct;
    const next = this.#addresses.findIndex(({ address }) => address === sa.address) + 1;
    this.struct.sa = this.#addresses[next % this.#addresses.length] ?? sa;
  }

  /** The attempt that was under way has been broken off; `error` is the errno that stands for it. */
  failAttempt(error: number): void {
    this.#onFailedCall('connect', error);
  }

  #onFailedCall(call: string, error: number): void {
    this.#lastError = error;
    this.#attemptSince = undefined;
    this.#options.onFailedCall?.(call, error);
  }

  #admits(fd: number): boolean {
    const { posix, admits } = this.#options;
    const peer = posix.getpeername(fd);
    // Of a peer that has gone already nobody can say who it was.
    if (admits === undefined || (typeof peer !== 'number' && admits(peer))) return true;
    resetConnection(posix, fd);
    return false;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** The last call that failed, as a positive errno; 0 when none has since {@link Connection.forgetError}. */
  get lastError(): number {
    return this.#lastError;
  }

  forgetError(): void {
    this.#lastError = 0;
  }

  /** The last failed call as an error. Without one, it is the scheduler that has no event left. */
  error(what: string): TransferError {
    const error = this.#lastError === 0 ? errno.EBUSY : this.#lastError;
    return new TransferError(errnoCode(error), `${what}: ${inWords(error)}`);
  }

  /** What a status reports of it. */
  status(): Pick<TransferStatus, 'state' | 'address' | 'peer' | 'attempts' | 'attemptSeconds' | 'lastError'> {
    const { state, address, peer, attempts, lastError } = this;
    const since = state === 'in_progress' ? this.#attemptSince : undefined;
    const attemptSeconds = since === undefined ? null : this.#options.posix.clock.now() - since;
    return {
      state,
      address,
      peer,
      attempts,
      attemptSeconds,
      lastError: lastError === 0 ? null : inWords(lastError),
    };
  }

  get state(): ConnectionState {
    return connectionState(this.struct.status);
  }

  /** The backup's address; as it was given until the lookup. A listener's port is the real one. */
  get address(): string {
    const { posix, name } = this.#options;
    if (!this.#hasAddress) return name;
    // Without a listener there is nothing of that number, or nothing that has a name.
    const bound = posix.getsockname(this.struct.listenFd);
    return formatAddress(typeof bound === 'number' ? this.struct.sa : bound);
  }

  /** The other side's address while there is a connection. */
  get peer(): string | null {
    if (this.state !== 'established') return null;
    const peer = this.#options.posix.getpeername(this.struct.fd);
    return typeof peer === 'number' ? null : formatAddress(peer);
  }
}
