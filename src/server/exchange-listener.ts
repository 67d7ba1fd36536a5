// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress, type SocketAddress } from '../posix/address.js';
import { errnoCode } from '../posix/errno.js';
import { SystemError } from '../posix/system-error.js';
import { Acceptor } from './acceptor.js';
import { ANSWERED, Exchange, type ExchangeOptions, TAKEN_OVER } from './exchange.js';
import { LOG_DEBUG, type Logger } from './logger.js';

/** Connections that wait to be accepted. */
const BACKLOG = 64;
/** Before its time is over, a client is not dropped for another one. */
const MINIMUM_STAY_SECONDS = 1;

export interface ExchangeListenerOptions extends Omit<ExchangeOptions, 'onClosed'> {
  readonly logger: Logger;
  /** What listens, for log lines: `control`. */
  readonly name: string;
  /** How many connections there may be at once. Further ones wait to be accepted. */
  readonly maxConnections: number;
  /** How long a client without a whole request is not dropped for another one; 1 s unless given. */
  readonly collectingStaySeconds?: number;
}

/**
 * A listening socket, each connection of which is one {@link Exchange}.
 *
 * Guaranteed: a client costs the others nothing but its place, and when places are short those go, the oldest first, who
 * have had {@link MINIMUM_STAY_SECONDS} (or `collectingStaySeconds`) and still have not sent their request or taken their answer.
 */
export class ExchangeListener implements Disposable {
  /** What it is bound to: with the real port where 0 was asked for. */
  readonly address: SocketAddress;
  readonly #options: ExchangeListenerOptions;
  readonly #acceptor: Acceptor;
  /** The oldest first. */
  readonly #exchanges = new Set<Exchange>();
  #accepted = 0;

  /** @throws Error with an errno's name as `code` when the address cannot be listened on */
  constructor(address: SocketAddress, options: ExchangeListenerOptions) {
    this.#options = options;
    const { registrar, posix, logger, name } = options;
    const acceptor = Acceptor.listen(address, {
      registrar,
      posix,
      logger,
      name,
      backlog: BACKLOG,
      onConnection: (fd) => this.#onConnection(fd),
      room: () => options.maxConnections - this.#makeRoom(),
    });
    if (typeof acceptor === 'number') {
      const reason = `cannot listen on ${formatAddress(address)}: ${errnoCode(acceptor)}`;
      throw new SystemError(acceptor, `${name}: ${reason}`);
    }
    this.#acceptor = acceptor;
    this.address = acceptor.address ?? address;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#exchanges.size;
  }
  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Stops to listen, and drops every connection. Idempotent. */
  [Symbol.dispose](): void {
    this.stop();
    for (const exchange of this.#exchanges) exchange.drop('closing down');
  }

  /** Stops to listen; connections go on. Idempotent. */
  stop(): void {
    this.#acceptor[Symbol.dispose]();
  }

  #onConnection(fd: number): void {
    this.#accepted += 1;
    const onClosed = (closed: Exchange, why: string): void => this.#onClosed(closed, why);
    const exchange = new Exchange(fd, { ...this.#options, onClosed });
    this.#exchanges.add(exchange);
    exchange.start();
  }

  #onClosed(exchange: Exchange, why: string): void {
    this.#exchanges.delete(exchange);
    const { logger, name } = this.#options;
    if (why !== ANSWERED && why !== TAKEN_OVER)
      logger.log(LOG_DEBUG, `${name}: a connection was closed: ${why}`);
    this.#acceptor.resume();
  }

  /** When all places are taken, frees those that can be. Returns how many are taken then. */
  #makeRoom(): number {
    const { collectingStaySeconds = MINIMUM_STAY_SECONDS } = this.#options;
    const now = this.#options.posix.clock.now();
    for (const exchange of this.#exchanges) {
      if (this.#exchanges.size < this.#options.maxConnections) break;
      const stay = exchange.isCollecting ? collectingStaySeconds : MINIMUM_STAY_SECONDS;
      if (exchange.isAbandoned) exchange.drop('nobody waits for its answer, and its place is needed');
      else if (exchange.isDispensable && now - exchange.acceptedAt >= stay) {
        exchange.drop('it is slow, and its place is needed');
      }
    }
    return this.#exchanges.size;
  }
}
