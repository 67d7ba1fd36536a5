// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import type { Socket } from 'node:net';
import { formatAddress, type InetAddress, SOCK_STREAM } from '../posix/address.js';
import { errno, errnoCode } from '../posix/errno.js';
import { EAI_AGAIN, gaiName, gaiStrerror } from '../posix/gai.js';
import { SO_ERROR, SOL_SOCKET } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import { LOG_DEBUG, LOG_INFO, LOG_WARNING } from '../server/logger.js';
import { probeWhenIdle, SILENCE_SECONDS } from '../server/silence.js';
import { TapdiskServer } from '../server/tapdisk-server.js';
import { ATTEMPT_SECONDS } from './attempt-seconds.js';
import { deferred } from './deferred.js';
import {
  callError,
  checkPort,
  isPeerAllowed,
  type PeerFilter,
  ReplicaError,
  type ReplicaHost,
  warnUnlessRunning,
} from './replica-host.js';

export interface ConnectReplicaOptions extends PeerFilter {
  /** A name, or a numeric IPv4 or IPv6 address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** The server whose loop the connection is made on; one of its own, for as long as it takes, unless given. */
  readonly server?: ReplicaHost;
  /** Whole seconds between two rounds over the addresses, at least 1; 1 unless given. */
  readonly retryTimeoutSeconds?: number;
  /**
   * How long an address may leave an attempt without an answer when there are more, in whole seconds; the kernel's own time
   * (two minutes) for the last of them. `ATTEMPT_SECONDS` unless given.
   */
  readonly attemptSeconds?: number;
  /**
   * The connection fails with ETIMEDOUT when the peer's host does not respond for this long while it is idle: 0 leaves it to the
   * kernel, which takes hours; `SILENCE_SECONDS` unless given. That nothing is sent is no silence.
   */
  readonly silenceSeconds?: number;
  /** Gives up. Without it, a backup that stays away is waited for without end. */
  readonly signal?: AbortSignal;
}

/** How often the age of an attempt under way is reported. */
const REPORT_SECONDS = 10;

/** Errors after which the backup is taken to be away for a while: those of the C module, and EHOSTUNREACH. */
const RETRIED: ReadonlySet<number> = new Set([
  errno.ECONNREFUSED,
  errno.ENETUNREACH,
  errno.EHOSTUNREACH,
  errno.EAGAIN,
  errno.ECONNABORTED,
  errno.ETIMEDOUT,
]);

/**
 * Connects to a backup, as the client of the connect module does, and gives the connection as a Node stream.
 *
 * Beyond the C module: every address of the host is tried in turn, IPv6 too; names are looked up again in each round and
 * without stalling the loop; EHOSTUNREACH and a resolver that fails for now are retried.
 *
 * @returns the stream, half-open allowed; it is the caller's to destroy
 * @throws (rejects with) the signal's reason; RangeError for a port or retry time out of range; {@link ReplicaError} for a
 *   name that does not exist (EAI_NONAME), a host all of whose addresses are refused by the filter (EACCES), and any
 *   error of connect that is not retried
 */
export async function connectReplica(options: ConnectReplicaOptions): Promise<Socket> {
  const { retryTimeoutSeconds = 1, server, signal } = options;
  checkPort(options.port, 1);
  if (!Number.isInteger(retryTimeoutSeconds) || retryTimeoutSeconds < 1 || retryTimeoutSeconds >= 2 ** 31) {
    throw new RangeError(
      `retryTimeoutSeconds is ${retryTimeoutSeconds}, but must be an integer of at least 1`,
    );
  }
  signal?.throwIfAborted();
  if (server !== undefined) {
    const forget = warnUnlessRunning(server);
    return new Connecting(server, options, retryTimeoutSeconds).socket.finally(forget);
  }

  await using own = new TapdiskServer();
  const connecting = new Connecting(own, options, retryTimeoutSeconds);
  const [socket] = await Promise.all([
    connecting.socket.finally(() => own.stop()),
    own.run({ signals: false }),
  ]);
  return socket;
}

/**
 *     looking up --> trying address 0, 1, ... --all failed--> waiting --> looking up
 *                     |                  |
 *                 connected        not to be retried, or aborted (in any state)
 */
class Connecting {
  readonly socket: Promise<Socket>;
  readonly #resolve: (socket: Socket) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #forgetSignal: () => void;
  readonly #abort = (): void => this.#fail(this.options.signal?.reason);
  #done = false;
  /** The addresses that are left of this round. */
  #untried: InetAddress[] = [];
  #fd = -1;
  readonly #event: AwaitedEvent;

  private readonly server: ReplicaHost;
  private readonly options: ConnectReplicaOptions;
  private readonly retryTimeoutSeconds: number;

  constructor(server: ReplicaHost, options: ConnectReplicaOptions, retryTimeoutSeconds: number) {
    this.server = server;
    this.options = options;
    this.retryTimeoutSeconds = retryTimeoutSeconds;
    const { promise, resolve, reject } = deferred<Socket>();
    this.socket = promise;
    this.#event = new AwaitedEvent(server);
    this.#resolve = resolve;
    this.#reject = reject;
    this.#forgetSignal = whenAborted(options.signal, this.#abort);
    void this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    const { host, port } = this.options;
    const answer = await this.server.posix.resolve(host, String(port));
    if (this.#done) return;
    if (typeof answer === 'number') {
      const message = `${host}: ${gaiStrerror(answer)}`;
      if (answer === EAI_AGAIN) this.#retryLater(message);
      else this.#fail(new ReplicaError(message, `${gaiName(answer)}`));
      return;
    }
    this.#untried = answer.filter((address) => isPeerAllowed(this.options, address));
    if (this.#untried.length === 0) {
      this.#fail(
        new ReplicaError(`${host}: none of its ${answer.length} addresses is allowed as a peer`, 'EACCES'),
      );
      return;
    }
    this.#tryNext();
  }

  #tryNext(): void {
    const { posix } = this.server;
    const address = this.#untried.shift();
    if (address === undefined) {
      this.#retryLater('no address responds');
      return;
    }
    const fd = posix.socket(address.family, SOCK_STREAM);
    if (fd < 0) {
      this.#fail(callError('a socket for', fd, address));
      return;
    }
    this.#fd = fd;
    const answer = posix.connect(fd, address);
    if (answer === 0 || answer === -errno.EINPROGRESS) this.#await(address, posix.clock.now());
    else this.#attemptFailed(answer, address);
  }

  #await(address: InetAddress, startedAt: number): void {
    const { attemptSeconds = ATTEMPT_SECONDS } = this.options;
    const hasMore = this.#untried.length > 0;
    const seconds = hasMore ? attemptSeconds : REPORT_SECONDS;
    // A timeout in whole seconds is due up to a second early.
    const result = this.#event.set(POLL_WRITE_FD | TIMEOUT, this.#fd, seconds + 1, (fired) => {
      if (fired !== TIMEOUT) this.#connected(address);
      else if (hasMore) this.#attemptFailed(-errno.ETIMEDOUT, address);
      else {
        const age = Math.round(this.server.posix.clock.now() - startedAt);
        this.server.logger.log(LOG_INFO, `connect ${formatAddress(address)}: no reply for ${age} s`);
      }
    });
    this.#checkEvent(result);
  }

  #connected(address: InetAddress): void {
    const { posix } = this.server;
    const socketErrno = posix.getsockopt(this.#fd, SOL_SOCKET, SO_ERROR);
    if (socketErrno !== 0) {
      this.#attemptFailed(-Math.abs(socketErrno), address);
      return;
    }
    probeWhenIdle(posix, this.#fd, this.options.silenceSeconds ?? SILENCE_SECONDS);
    const socket = posix.nodeObject(this.#fd) as Socket;
    posix.release(this.#fd);
    this.#fd = -1;
    this.#end();
    this.#resolve(socket);
  }

  #attemptFailed(answer: number, address: InetAddress): void {
    this.#close();
    if (RETRIED.has(-answer)) {
      this.server.logger.log(LOG_DEBUG, `connect ${formatAddress(address)}: ${errnoCode(answer)}`);
      this.#tryNext();
    } else {
      this.#fail(callError('connect', answer, address));
    }
  }

  #retryLater(why: string): void {
    this.server.logger.log(LOG_WARNING, `${why}; next attempt in ${this.retryTimeoutSeconds} s`);
    this.#checkEvent(this.#event.setTimer(this.retryTimeoutSeconds, () => void this.#lookUp()));
  }

  #checkEvent(result: number): void {
    if (result < 0)
      this.#fail(
        new ReplicaError(`registering an event failed with ${errnoCode(result)}`, errnoCode(result)),
      );
  }

  #close(): void {
    if (this.#fd >= 0) this.server.posix.close(this.#fd);
    this.#fd = -1;
  }

  #fail(reason: unknown): void {
    this.#end();
    this.#reject(reason);
  }

  #end(): void {
    this.#done = true;
    this.#event.clear();
    this.#close();
    this.#forgetSignal();
  }
}
