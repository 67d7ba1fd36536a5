// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { abortConnection } from './abort-connection.js';
import type { Descriptor, Posix } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** Where an answer goes. After the connection has ended, whatever the reason, both calls do nothing. */
export interface Reply {
  /** Adds a piece: it goes out in one write, unless the socket takes only a part of it. */
  send(piece: Uint8Array): void;
  /** The answer is complete: the connection is closed once all of it has gone out. */
  end(): void;
}

/** Where the answer to one request goes, by who makes it. */
export interface ExchangeReply extends Reply {
  /**
   * Ends the exchange without an answer, and hands over its descriptor, which is the caller's to close from then on.
   *
   * @returns the descriptor, or -ENOTCONN when the connection has ended
   */
  takeOver(): Descriptor;
}

/** Why a connection was closed whose answer has gone out: the only one that is closed in order. */
export const ANSWERED = 'answered';
/** Why an exchange has ended whose connection goes on. */
export const TAKEN_OVER = 'taken over';

/** What is spoken on a connection: one request, one answer. */
export interface ExchangeProtocol {
  /** No request is longer, in bytes. */
  readonly maxRequestBytes: number;
  /** How many of these bytes are the request; 0 while it is not whole. */
  requestLength(received: Uint8Array): number;
  /** Replies, now or later. */
  answer(request: Uint8Array, reply: ExchangeReply): void;
  /** Whether a client that has ended its side before its request is begun no longer wants what it asks for. */
  readonly needsClient?: boolean;
  /** Returns `maxRequestBytes` bytes that are still no whole request; without it, the connection is dropped. */
  tooLong?(reply: Reply): void;
}

export interface ExchangeOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly protocol: ExchangeProtocol;
  /** A client that sends no byte of its request, or takes none of the answer, for this long is dropped (up to 1 s later). */
  readonly slowClientSeconds: number;
  /** Called once, after the descriptor has been closed or taken over. `why`: for a log line. */
  readonly onClosed: (exchange: Exchange, why: string) => void;
}

/**
 * One connection with one request and one answer.
 *
 *     collecting --request whole--> answering --answer complete--> draining --all sent--> closed
 *         |                          |                               |
 *         |                          +--takeOver--> closed           |
 *         +------- end of file, error, no progress, too long --------+--------------------> closed
 *
 * While collecting, and while draining, the connection has one event that is READ or WRITE and TIMEOUT at once: rule P4
 * moves its deadline with every byte of progress. While answering it has no deadline, as it is not the client that is slow.
 */
export class Exchange implements ExchangeReply {
  /** In seconds of the clock. */
  readonly acceptedAt: number;
  readonly #options: ExchangeOptions;
  readonly #fd: number;
  readonly #received: Uint8Array;
  #receivedBytes = 0;
  #state: 'collecting' | 'answering' | 'draining' | 'closed' = 'collecting';
  readonly #event: AwaitedEvent;
  #peerGone = false;
  /** What is to be sent, oldest first; the protocol bounds it, as there is one answer. */
  readonly #pieces: Uint8Array[] = [];
  #sent = 0;

  /** Takes the descriptor over. Nothing happens before {@link start}. */
  constructor(fd: number, options: ExchangeOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar, 'exchange');
    this.acceptedAt = options.posix.clock.now();
    this.#received = new Uint8Array(options.protocol.maxRequestBytes);
  }

  start(): void {
    this.#watch(POLL_READ_FD | TIMEOUT, (mode) => this.#collect(mode));
  }

  /** Whether its place can be given to another client without losing an answer that somebody may still wait for. */
  get isDispensable(): boolean {
    return this.#state !== 'answering' || this.#peerGone;
  }
  /** Whether its request is not whole. */
  get isCollecting(): boolean {
    return this.#state === 'collecting';
  }
  /** Whether nobody waits for the answer any more. */
  get isAbandoned(): boolean {
    return this.#peerGone;
  }

  send(piece: Uint8Array): void {
    if (this.#state === 'answering') this.#pieces.push(piece);
  }

  end(): void {
    if (this.#state !== 'answering') return;
    this.#state = 'draining';
    this.#drain();
    if (this.#isOpen()) this.#watch(POLL_WRITE_FD | TIMEOUT, (mode) => this.#drainOn(mode));
  }

  takeOver(): Descriptor {
    if (this.#state !== 'answering') return -errno.ENOTCONN;
    this.#close();
    this.#options.onClosed(this, TAKEN_OVER);
    return this.#fd;
  }

  /** Closes the connection, wherever it is. Idempotent. */
  drop(why: string): void {
    if (this.#state === 'closed') return;
    this.#close();
    if (why === ANSWERED) this.#options.posix.close(this.#fd);
    else abortConnection(this.#options.posix, this.#fd);
    this.#options.onClosed(this, why);
  }

  #collect(mode: number): void {
    if (mode === TIMEOUT) return this.drop(`no progress in ${this.#options.slowClientSeconds} s`);
    const { posix, protocol } = this.#options;
    const count = posix.read(this.#fd, this.#received.subarray(this.#receivedBytes));
    if (count === -errno.EAGAIN) return undefined;
    if (count <= 0) return this.drop(`it ended within its request, after ${this.#receivedBytes} bytes`);
    this.#receivedBytes += count;
    const length = protocol.requestLength(this.#received.subarray(0, this.#receivedBytes));
    if (length > 0) {
      if (protocol.needsClient && this.#hasPeerEnded())
        return this.drop('it ended before its request was begun');
      this.#startAnswering();
      protocol.answer(this.#received.subarray(0, length), this);
    } else if (this.#receivedBytes === protocol.maxRequestBytes) {
      if (!protocol.tooLong) return this.drop('its request is too long');
      this.#startAnswering();
      protocol.tooLong(this);
    }
    return undefined;
  }

  #startAnswering(): void {
    this.#state = 'answering';
    this.#watch(POLL_READ_FD, () => this.#watchPeer());
  }

  #hasPeerEnded(): boolean {
    const count = this.#options.posix.read(this.#fd, scratch);
    return count <= 0 && count !== -errno.EAGAIN;
  }

  /** While the answer is being made: nothing more is expected of the client, but its end is worth knowing. */
  #watchPeer(): void {
    const count = this.#options.posix.read(this.#fd, scratch);
    if (count === -errno.EAGAIN) return;
    this.#peerGone = count <= 0;
    // A client that goes on sending is not listened to any more: it would keep us busy for nothing.
    this.#event.clear();
  }

  #drainOn(mode: number): void {
    if (mode === TIMEOUT) this.drop(`no progress in ${this.#options.slowClientSeconds} s`);
    else this.#drain();
  }

  #drain(): void {
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const count = this.#options.posix.write(this.#fd, piece.subarray(this.#sent));
      if (count === -errno.EAGAIN) return;
      if (count < 0) return this.drop('it went away before its answer');
      this.#sent += count;
      if (this.#sent < piece.length) return;
      this.#pieces.shift();
      this.#sent = 0;
    }
    this.drop(ANSWERED);
  }

  #close(): void {
    this.#state = 'closed';
    this.#event.clear();
  }

  #isOpen(): boolean {
    return this.#state !== 'closed';
  }

  #watch(mode: number, callback: (mode: number) => void): void {
    // A timeout in whole seconds is due up to a second early: one more keeps the promised time whole.
    const timeoutSeconds = this.#options.slowClientSeconds + 1;
    const result = this.#event.set(mode, this.#fd, timeoutSeconds, callback);
    if (result < 0) this.drop('there is no event left');
  }
}

/** Takes bytes that nobody asked for; its content is never looked at. */
const scratch = new Uint8Array(512);
