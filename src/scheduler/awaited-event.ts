// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor } from '../posix/posix.js';
import { type EventId, type EventMode, TIMEOUT } from './event.js';
import type { EventRegistrar } from './registrar.js';

/** The one event that its owner waits for at the moment, if any: setting another replaces it. */
export class AwaitedEvent implements Disposable {
  readonly #registrar: EventRegistrar;
  /** What is registered, whatever is awaited: its name is the purpose. */
  readonly #fire = (_: EventId, fired: EventMode): void => this.#callback(fired);
  #callback!: (mode: EventMode) => void;
  #id: EventId | undefined;

  /** @param purpose what the event is for, as the scheduler's tables show it: see {@link EventDescription.callbackName} */
  constructor(registrar: EventRegistrar, purpose = '') {
    this.#registrar = registrar;
    Object.defineProperty(this.#fire, 'name', { value: purpose });
  }

  get isSet(): boolean {
    return this.#id !== undefined;
  }

  /**
   * Waits for an event, which fires again and again until it is cleared or replaced.
   *
   * @param mode POLL_READ_FD, POLL_WRITE_FD, POLL_EXCEPT_FD and TIMEOUT, or-ed
   * @param timeoutSeconds whole seconds; ignored without TIMEOUT
   * @param callback called with the one mode that fired
   * @returns 0, or what registerEvent failed with; nothing is awaited then
   */
  set(mode: EventMode, fd: Descriptor, timeoutSeconds: number, callback: (mode: EventMode) => void): number {
    this.clear();
    const id = this.#registrar.registerEvent(mode, fd, timeoutSeconds, this.#fire);
    if (id < 0) return id;
    this.#callback = callback;
    this.#id = id;
    return 0;
  }

  /** As {@link set}, with TIMEOUT added to the mode if `timeoutSeconds` is above 0. */
  setWithin(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: (mode: EventMode) => void,
  ): number {
    return this.set(timeoutSeconds > 0 ? mode | TIMEOUT : mode, fd, timeoutSeconds, callback);
  }

  /** Waits for a time to pass: the callback is called once, with nothing awaited. Returns as {@link set} does. */
  setTimer(timeoutSeconds: number, callback: () => void): number {
    return this.set(TIMEOUT, -1, timeoutSeconds, () => {
      this.clear();
      callback();
    });
  }

  /** Waits for nothing. Idempotent. */
  clear(): void {
    if (this.#id === undefined) return;
    this.#registrar.unregisterEvent(this.#id);
    this.#id = undefined;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
