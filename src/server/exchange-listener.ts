// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { formatAddress, SOCK_STREAM, type SocketAddress } from '../posix/address.js';
import { errno, errnoCode } from '../posix/errno.js';
import { type Posix, SO_REUSEADDR, SOL_SOCKET } from '../posix/posix.js';
import { type EventId, POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_DEBUG, LOG_WARNING, type Logger } from './logger.js';
import { Exchange, type ExchangeProtocol } from './exchange.js';

/** Connections that wait to be accepted. */
const BACKLOG = 64;
/** Before its time is over, a client is not dropped for another one. */
const MINIMUM_STAY_SECONDS = 1;

export interface ExchangeListenerOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  readonly protocol: ExchangeProtocol;
  /** What listens, for log lines: `control`. */
  readonly name: string;
  /** How many connections there may be at once. Further ones wait to be accepted. */
  readonly maxConnections: number;
  /** See {@link Exchange}. */
  readonly slowClientSeconds: number;
}

/**
 * A listening socket, each connection of which is one {@link Exchange}.
 *
 *     accepting --all places taken, or accept failed--> waiting --a place is free, or 1 s later--> accepting
 *
 * Guaranteed: a client costs the others nothing but its place, and when places are short those go, the oldest first, who
 * have had {@link MINIMUM_STAY_SECONDS} and still have not sent their request or taken their answer.
 */
export class ExchangeListener implements Disposable {
  /** What it is bound to: with the real port where 0 was asked for. */
  readonly address: SocketAddress;
  readonly #options: ExchangeListenerOptions;
  readonly #fd: number;
  /** The oldest first. */
  readonly #exchanges = new Set<Exchange>();
  #event: EventId = 0;
  #state: 'accepting' | 'waiting' | 'closed' = 'waiting';
  #accepted = 0;

  /** @throws Error with an errno's name as `code` when the address cannot be listened on */
  constructor(address: SocketAddress, options: ExchangeListenerOptions) {
    const { posix, name } = options;
    this.#options = options;
    this.#fd = check(posix.socket(address.family, SOCK_STREAM), name, 'open a socket');
    try {
      posix.setsockopt(this.#fd, SOL_SOCKET, SO_REUSEADDR, 1);
      check(posix.bind(this.#fd, address), name, `bind ${formatAddress(address)}`);
      check(posix.listen(this.#fd, BACKLOG), name, `listen on ${formatAddress(address)}`);
      this.#accept();
      check(this.#event, name, 'register an event');
    } catch (error) {
      posix.close(this.#fd);
      throw error;
    }
    const bound = posix.getsockname(this.#fd);
    this.address = typeof bound === 'number' ? address : bound;
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
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.registrar.unregisterEvent(this.#event);
    this.#options.posix.close(this.#fd);
  }

  #onConnection(): void {
    const { posix, maxConnections, logger, name } = this.#options;
    // One callback fills the free places at most: those who are served already get their turn in between.
    for (let places = maxConnections - this.#makeRoom(); places > 0; places--) {
      const fd = posix.accept(this.#fd);
      if (fd === -errno.EAGAIN) return;
      if (fd < 0) {
        logger.log(LOG_WARNING, `${name}: accept failed with ${errnoCode(fd)}; trying again in a second`);
        return this.#wait();
      }
      this.#accepted += 1;
      this.#take(fd);
    }
    if (this.#exchanges.size >= maxConnections) this.#wait();
  }

  #take(fd: number): void {
    const { registrar, posix, protocol, slowClientSeconds } = this.#options;
    const onClosed = (closed: Exchange, why: string): void => this.#onClosed(closed, why);
    const exchange = new Exchange(fd, { registrar, posix, protocol, slowClientSeconds, onClosed });
    this.#exchanges.add(exchange);
    exchange.start();
  }

  #onClosed(exchange: Exchange, why: string): void {
    this.#exchanges.delete(exchange);
    const { logger, name } = this.#options;
    if (why !== 'answered') logger.log(LOG_DEBUG, `${name}: a connection was closed: ${why}`);
    if (this.#state === 'waiting') this.#accept();
  }

  /** When all places are taken, frees those that can be. Answers how many are taken then. */
  #makeRoom(): number {
    const now = this.#options.posix.clock.now();
    for (const exchange of this.#exchanges) {
      if (this.#exchanges.size < this.#options.maxConnections) break;
      if (exchange.isAbandoned) exchange.drop('nobody waits for its answer, and its place is needed');
      else if (exchange.isDispensable && now - exchange.acceptedAt >= MINIMUM_STAY_SECONDS) {
        exchange.drop('it is slow, and its place is needed');
      }
    }
    return this.#exchanges.size;
  }

  #accept(): void {
    this.#setEvent('accepting', POLL_READ_FD);
  }

  #wait(): void {
    this.#setEvent('waiting', TIMEOUT);
  }

  #setEvent(state: 'accepting' | 'waiting', mode: number): void {
    const { registrar } = this.#options;
    registrar.unregisterEvent(this.#event);
    this.#state = state;
    const callback = (): void => (state === 'waiting' ? this.#accept() : this.#onConnection());
    this.#event = registrar.registerEvent(mode, this.#fd, 1, callback);
  }
}

function check(result: number, name: string, what: string): number {
  if (result >= 0) return result;
  const code = errnoCode(result);
  throw Object.assign(new Error(`${name}: cannot ${what}: ${code}`), { code });
}
