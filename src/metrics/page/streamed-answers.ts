// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../../posix/posix.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { ExchangeReply } from '../../server/exchange.js';
import { LOG_DEBUG, type Logger } from '../../server/logger.js';
import { isUnanswered, SILENCE_SECONDS } from '../../server/silence.js';
import { Standstill } from '../../server/standstill.js';
import { StreamedAnswer } from './streamed-answer.js';

export interface StreamedAnswersParts {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** The maximum number at once; further clients get 503. */
  readonly limit: number;
  /** Called when the last one is gone. */
  readonly onNone?: () => void;
}

/** The responses of one kind that are under way. */
export class StreamedAnswers implements Disposable {
  readonly #parts: StreamedAnswersParts;
  /** With its descriptor, and for how long its host has been silent. */
  readonly #answers = new Map<StreamedAnswer, { readonly fd: number; readonly silence: Standstill }>();

  constructor(parts: StreamedAnswersParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#answers.size;
  }

  /**
   * Begins an answer on the connection of a request.
   *
   * @param first what it has at once
   * @param next see {@link StreamedAnswer}
   * @returns false when there is no room
   */
  add(reply: ExchangeReply, first: () => Buffer, next?: () => Buffer | undefined): boolean {
    if (this.#answers.size >= this.#parts.limit) return false;
    const fd = reply.takeOver();
    // A client that has gone needs nothing more.
    if (fd < 0) return true;
    const { registrar, posix } = this.#parts;
    const onClosed = (closed: StreamedAnswer, why: string): void => this.#onClosed(closed, why);
    const answer = new StreamedAnswer(fd, { registrar, posix, onClosed, ...(next && { next }) });
    this.#answers.set(answer, { fd, silence: new Standstill() });
    answer.start(first());
    return true;
  }

  /** Called now and then, it also drops those whose host has died: the kernel takes what is sent to one for many minutes. */
  sendAll(bytes: Buffer): void {
    const { posix } = this.#parts;
    const now = posix.clock.now();
    for (const [answer, { fd, silence }] of this.#answers) {
      const state = isUnanswered(posix, fd) ? 'silent' : undefined;
      if (silence.seconds(state, now) < SILENCE_SECONDS) answer.send(bytes);
      else answer.drop(`its host has not answered for ${SILENCE_SECONDS} s`);
    }
  }

  /** Drops all clients. Idempotent. */
  [Symbol.dispose](): void {
    for (const answer of this.#answers.keys()) answer.drop('closing down');
  }

  #onClosed(answer: StreamedAnswer, why: string): void {
    this.#answers.delete(answer);
    this.#parts.logger.log(LOG_DEBUG, `metrics: a streamed answer was closed: ${why}`);
    if (this.#answers.size === 0) this.#parts.onNone?.();
  }
}
