// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import { errno } from '../posix/errno.js';
import type { Descriptor } from '../posix/posix.js';
import { SystemError } from '../posix/system-error.js';
import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventMode } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** How waiting for one event is stopped. */
export interface AwaitOptions {
  /** Stops waiting. */
  readonly signal?: AbortSignal;
}

/** An event as a promise: waits for its first firing. */
export class OneFiring {
  readonly #event: AwaitedEvent;
  readonly #signal: AbortSignal | undefined;
  #end: (reason?: unknown) => void = () => {};

  constructor(registrar: EventRegistrar, { signal }: AwaitOptions) {
    this.#event = new AwaitedEvent(registrar, 'sleep, readable or writable');
    this.#signal = signal;
  }

  /**
   * Fulfilled when it has fired.
   *
   * @throws (rejects with) the signal's reason; a SystemError when it cannot be registered, and ECANCELED after {@link cancel}
   */
  of(mode: EventMode, fd: Descriptor, timeoutSeconds: number): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let forget = (): void => {};
      this.#end = (reason): void => {
        this.#event.clear();
        forget();
        if (reason === undefined) resolve();
        else reject(reason);
      };
      const result = this.#event.set(mode, fd, timeoutSeconds, () => this.#end());
      if (result < 0) this.#end(new SystemError(result, 'no event could be registered to wait for'));
      else forget = whenAborted(signal, () => this.#end(signal?.reason));
    });
  }

  /** There will be no firing. */
  cancel(): void {
    this.#end(new SystemError(errno.ECANCELED, 'the server has stopped'));
  }
}
