// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AF_UNIX, SOCK_STREAM, type SocketAddress } from '../posix/address.js';
import { errno, errnoCode } from '../posix/errno.js';
import { type Posix, SO_REUSEADDR, SOL_SOCKET } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_ERR, type Logger } from './logger.js';

/** How long nothing is accepted after accept has failed, for lack of descriptors say, in seconds. */
export const ACCEPT_PAUSE_SECONDS = 1;

export interface AcceptorOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** What listens, for log lines: `nbd`. */
  readonly name: string;
  /** Takes an accepted descriptor over. */
  readonly onConnection: (fd: number) => void;
  /**
   * How many connections there is room for, asked before each round of accepting. While it is 0 the others wait in the
   * backlog; the acceptor asks again after {@link Acceptor.resume}, and every second. Unlimited unless given.
   */
  readonly room?: () => number;
}

export interface ListenerOptions extends AcceptorOptions {
  /** Connections that may wait to be accepted. */
  readonly backlog: number;
}

/** A listening descriptor, or a negative errno and no descriptor: of socket, setsockopt, bind or listen. */
export function listenOn(posix: Posix, address: SocketAddress, backlog: number): number {
  const fd = posix.socket(address.family, SOCK_STREAM);
  if (fd < 0) return fd;
  const steps = [
    () => (address.family === AF_UNIX ? 0 : posix.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)),
    () => posix.bind(fd, address),
    () => posix.listen(fd, backlog),
  ];
  for (const step of steps) {
    const result = step();
    if (result >= 0) continue;
    posix.close(fd);
    return result;
  }
  return fd;
}

/**
 * Accepts the connections of a listening descriptor, as many at a time as there is room for.
 *
 *     accepting --accept failed, or no room--> pausing --1 s later, or resume--> accepting
 *
 * A connection that cannot be accepted stays ready: without the pause the loop would spin.
 */
export class Acceptor implements Disposable {
  readonly #options: AcceptorOptions;
  readonly #fd: number;
  readonly #event: AwaitedEvent;
  #state: 'accepting' | 'pausing' | 'closed' = 'accepting';

  private constructor(fd: number, options: AcceptorOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar, 'accept');
  }

  /** Listens, and accepts from then on; or a negative errno: of {@link listenOn}, or of registerEvent. */
  static listen(address: SocketAddress, options: ListenerOptions): Acceptor | number {
    const fd = listenOn(options.posix, address, options.backlog);
    return fd < 0 ? fd : Acceptor.on(fd, options);
  }

  /** Takes over a descriptor that listens already; it is closed when there is no event for it (a negative errno). */
  static on(fd: number, options: AcceptorOptions): Acceptor | number {
    const acceptor = new Acceptor(fd, options);
    const result = acceptor.#watch();
    if (result === 0) return acceptor;
    options.posix.close(fd);
    return result;
  }

  /** Where it listens, with the real port where 0 was asked for; undefined once it is closed. */
  get address(): SocketAddress | undefined {
    if (this.#state === 'closed') return undefined;
    const bound = this.#options.posix.getsockname(this.#fd);
    return typeof bound === 'number' ? undefined : bound;
  }

  /** There is room again. */
  resume(): void {
    if (this.#state === 'pausing') this.#accept();
  }

  /** Stops listening; connections that were accepted go on. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#event.clear();
    this.#options.posix.close(this.#fd);
  }

  #accept(): void {
    const result = this.#watch();
    if (result < 0) this.#log(`accepts no more connections: ${errnoCode(result)}`);
  }

  #watch(): number {
    this.#state = 'accepting';
    return this.#event.set(POLL_READ_FD, this.#fd, 0, () => this.#onReady());
  }

  #pause(): void {
    this.#state = 'pausing';
    const result = this.#event.setTimer(ACCEPT_PAUSE_SECONDS, () => this.#accept());
    if (result < 0) this.#log(`accepts no more connections: ${errnoCode(result)}`);
  }

  #onReady(): void {
    const { posix, room, onConnection } = this.#options;
    // One callback fills the free places at most: those who are served already get their turn in between.
    let places = room?.() ?? Infinity;
    if (places <= 0) return this.#pause();
    for (; places > 0; places--) {
      const fd = posix.accept(this.#fd);
      if (fd === -errno.EAGAIN) return undefined;
      if (fd < 0) {
        this.#log(`cannot accept: ${errnoCode(fd)}; next attempt in ${ACCEPT_PAUSE_SECONDS} s`);
        return this.#pause();
      }
      onConnection(fd);
      // The callback may have closed this.
      if (this.#state === 'closed') return undefined;
    }
    return undefined;
  }

  #log(message: string): void {
    this.#options.logger.log(LOG_ERR, `${this.#options.name}: ${message}`);
  }
}
