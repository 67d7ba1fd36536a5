// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { Logger, Priority } from './logger.js';
import { causeOfLine, Repeats, withLeftOut } from './repeats.js';

/** After so long a line that was held back is logged. */
const HELD_SECONDS = 1;

export interface CalmLoggerParts {
  readonly registrar: EventRegistrar;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A logger for what peers can trigger as often as they like: of lines that differ only in numbers and IP addresses, it logs one
 * a second at most, the latest, with how many were left out.
 */
export class CalmLogger implements Logger, Disposable {
  readonly #logger: Logger;
  readonly #repeats: Repeats;
  readonly #event: AwaitedEvent;
  #isDisposed = false;

  constructor({ registrar, clock, logger }: CalmLoggerParts) {
    this.#logger = logger;
    this.#repeats = new Repeats(clock);
    this.#event = new AwaitedEvent(registrar, 'repeated log lines');
  }

  log(priority: Priority, message: string): void {
    if (this.#isDisposed) {
      this.#logger.log(priority, message);
      return;
    }
    this.#repeats.tell(causeOfLine(message), (leftOut) =>
      this.#logger.log(priority, withLeftOut(message.trimEnd(), leftOut)),
    );
    this.#wait();
  }

  /** Logs what is held back, and holds nothing back any more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#event.clear();
    this.#repeats.flush(true);
  }

  #wait(): void {
    if (this.#event.isSet || !this.#repeats.isHolding) return;
    // Where there is no event left, the next line or the end brings out what is held back.
    this.#event.setTimer(HELD_SECONDS, () => {
      this.#repeats.flush(false);
      this.#wait();
    });
  }
}
