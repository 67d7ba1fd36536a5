// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../../posix/posix.js';
import { type EventId, POLL_READ_FD } from '../../scheduler/event.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import { StateError } from './state-file.js';

/** What events live on. */
export interface TimerHost {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
}

/** What a timer needs of it. */
interface TimerCalls {
  readonly registrar: EventRegistrar;
  readonly posix: Pick<Posix, 'timerfd' | 'timerfdSettime' | 'read' | 'close'>;
}

/** One deadline at a time, with fractions of a second, as an event of the scheduler. */
export class Timer {
  readonly #host: TimerCalls;
  readonly #fd: number;
  readonly #event: EventId;
  readonly #count = new Uint8Array(8);
  #isSet = false;
  #isClosed = false;

  /** @throws StateError when there is no descriptor or event left */
  constructor(host: TimerCalls, due: () => void) {
    this.#host = host;
    this.#fd = host.posix.timerfd();
    if (this.#fd < 0) throw refused('a timer descriptor', this.#fd);
    this.#event = host.registrar.registerEvent(POLL_READ_FD, this.#fd, 0, () => {
      if (host.posix.read(this.#fd, this.#count) < 0 || !this.#isSet) return;
      this.#isSet = false;
      due();
    });
    if (this.#event < 0) {
      host.posix.close(this.#fd);
      throw refused('an event for a timer', this.#event);
    }
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /**
   * Calls `due` once, so many seconds (above 0) from now, unless the timer is closed; a deadline that was set before is
   * forgotten.
   *
   * @throws StateError when it cannot be set: nobody would be called then
   */
  set(seconds: number): void {
    if (this.#isClosed) return;
    const result = this.#host.posix.timerfdSettime(this.#fd, seconds);
    this.#isSet = result === 0;
    if (!this.#isSet) throw refused('a deadline', result);
  }

  clear(): void {
    if (!this.#isSet) return;
    this.#isSet = false;
    this.#host.posix.timerfdSettime(this.#fd, 0);
  }

  /** Idempotent: by the second time the descriptor's number may be another one's. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isSet = false;
    this.#host.registrar.unregisterEvent(this.#event);
    this.#host.posix.close(this.#fd);
  }
}

function refused(what: string, result: number): StateError {
  return new StateError(`cannot get ${what}`, result);
}
