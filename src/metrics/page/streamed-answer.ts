// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { Descriptor, Posix } from '../../posix/posix.js';
import { AwaitedEvent } from '../../scheduler/awaited-event.js';
import { POLL_READ_FD, POLL_WRITE_FD, TIMEOUT } from '../../scheduler/event.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { abortConnection } from '../../server/abort-connection.js';

/** This many bytes may wait for a client; one that falls further behind is dropped. A page then fetches everything again. */
export const MAX_STREAM_BACKLOG_BYTES = 1 << 20;
/** A client that takes nothing for this long, while something waits, is dropped (up to 1 s later). */
export const SLOW_STREAM_SECONDS = 5;

export interface StreamedAnswerOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  /** Called once, after the descriptor has been closed. */
  readonly onClosed: (answer: StreamedAnswer, why: string) => void;
  /** What follows once all is taken, a piece in each pass of the scheduler; undefined ends the answer. Without it all is sent. */
  readonly next?: () => Buffer | undefined;
}

/**
 * A response of unknown length: server-sent events, or pieces that are made as they are taken.
 *
 *     idle --send, not all taken--> behind --all taken--> idle
 *       |                              |
 *       +--end, or an error------------+--no progress, too much waits, or no next piece--> closed
 *
 * With a `next` it is behind until that has no more.
 */
export class StreamedAnswer {
  readonly #options: StreamedAnswerOptions;
  readonly #fd: Descriptor;
  readonly #event: AwaitedEvent;
  #waiting: Buffer = Buffer.alloc(0);
  #isBehind = false;
  #isClosed = false;

  /** Takes the descriptor over. Nothing happens before {@link start}. */
  constructor(fd: Descriptor, options: StreamedAnswerOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#event = new AwaitedEvent(options.registrar, 'status page, a client');
  }

  /** Sends the first bytes, and looks for the client's end from then on. */
  start(first: Buffer): void {
    this.#watch();
    this.send(first);
  }

  send(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#waiting.length + bytes.length > MAX_STREAM_BACKLOG_BYTES) {
      this.drop(`${this.#waiting.length} bytes wait for it`);
      return;
    }
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    if (!this.#isBehind) this.#write();
  }

  /** Idempotent. */
  drop(why: string): void {
    this.#close(why, () => abortConnection(this.#options.posix, this.#fd));
  }

  #close(why: string, close: () => unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#event.clear();
    close();
    this.#options.onClosed(this, why);
  }

  #watch(): void {
    const mode = this.#isBehind ? POLL_READ_FD | POLL_WRITE_FD | TIMEOUT : POLL_READ_FD;
    // A timeout in whole seconds is due up to a second early.
    const result = this.#event.set(mode, this.#fd, SLOW_STREAM_SECONDS + 1, (fired) => this.#fired(fired));
    if (result < 0) this.drop('there is no event left');
  }

  #fired(mode: number): void {
    if (mode === TIMEOUT) this.drop(`no progress in ${SLOW_STREAM_SECONDS} s`);
    else if (mode === POLL_WRITE_FD) this.#write();
    else this.#read();
  }

  /** A client has nothing more to send: only its end of file is expected. */
  #read(): void {
    const count = this.#options.posix.read(this.#fd, scratch);
    if (count === -errno.EAGAIN) return;
    this.drop(count > 0 ? 'it sent more than its request' : 'it ended');
  }

  #write(): void {
    const { posix, next } = this.#options;
    const count = posix.write(this.#fd, this.#waiting);
    if (count < 0 && count !== -errno.EAGAIN) {
      this.drop('it went away');
      return;
    }
    this.#waiting = this.#waiting.subarray(Math.max(count, 0));
    if (this.#waiting.length === 0 && next) {
      const piece = next();
      if (piece === undefined) {
        this.#close('answered', () => posix.close(this.#fd));
        return;
      }
      this.#waiting = piece;
    }
    const isBehind = this.#waiting.length > 0 || next !== undefined;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    this.#watch();
  }
}

/** For unexpected bytes; its content is never read. */
const scratch = new Uint8Array(512);
