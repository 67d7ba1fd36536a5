// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { type Posix, SHUT_WR } from '../posix/posix.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import { POLL_READ_FD, TIMEOUT } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** How long a primary that was refused may go on sending before it is cut off, in whole seconds; up to 1 s less. */
export const REFUSAL_SECONDS = 2;
const SCRATCH_BYTES = 64 * 1024;

export interface RefusalOptions {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  /** A connection whose verdict has been written; it stays open. */
  readonly fd: number;
  /** The primary has ended its side, or its time is over. */
  readonly onEnd: () => void;
}

/**
 * Gives a primary that still sends the time to hear why it is refused: what it sends is read and forgotten. (A connection that
 * is closed with unread bytes is reset, and the verdict might be lost with it.)
 */
export class Refusal {
  readonly #options: RefusalOptions;
  readonly #until: number;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #event: AwaitedEvent;

  /** @throws never; without an event, the end is reported at once */
  constructor(options: RefusalOptions) {
    const { registrar, posix, fd, onEnd } = options;
    this.#options = options;
    this.#until = posix.clock.now() + REFUSAL_SECONDS;
    posix.shutdown(fd, SHUT_WR);
    this.#event = new AwaitedEvent(registrar);
    const result = this.#event.set(POLL_READ_FD | TIMEOUT, fd, REFUSAL_SECONDS, (fired) =>
      this.#forget(fired),
    );
    if (result < 0) onEnd();
  }

  /** Ends it without a word. Idempotent. */
  stop(): void {
    this.#event.clear();
  }

  #forget(fired: number): void {
    const { posix, fd, onEnd } = this.#options;
    const count = posix.read(fd, this.#scratch);
    const goesOn = count > 0 || count === -errno.EAGAIN;
    if (goesOn && fired !== TIMEOUT && posix.clock.now() < this.#until) return;
    this.stop();
    onEnd();
  }
}
