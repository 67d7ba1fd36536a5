// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  ANY_DESCRIPTOR_MODE,
  type EventCallback,
  type EventId,
  modeName,
  TIMEOUT,
} from '../../scheduler/event.js';
import type { EventRegistrar } from '../../scheduler/registrar.js';
import type { SimulatedHost } from '../host.js';
import type { SimulatedPosix } from '../simulated-posix.js';
import type { Violations } from './violations.js';

interface WatchedEvent {
  readonly mode: number;
  readonly fd: number;
  /** Which opening of the number the event was registered for. */
  readonly opening: number | undefined;
  readonly timeoutSeconds: number;
  /** The clock's whole second from which on it may fire by TIMEOUT. */
  dueSecond: number;
}

/**
 * Stands between a part and the scheduler it lives on, and checks what the scheduler does for it: no callback for an
 * event that is not registered, for another condition than was asked for, before its time, or for a descriptor that is
 * not the one it was registered for; no id given out twice.
 *
 * A part that keeps events registered on closed descriptors, as rule D3 allows, is not for it.
 */
export class WatchedRegistrar implements EventRegistrar {
  readonly #registrar: EventRegistrar;
  readonly #host: SimulatedHost;
  readonly #posix: SimulatedPosix;
  readonly #violations: Violations;
  readonly #live = new Map<EventId, WatchedEvent>();

  /** @param registrar lives on the process that the host has at this moment */
  constructor(registrar: EventRegistrar, host: SimulatedHost, violations: Violations) {
    this.#registrar = registrar;
    this.#host = host;
    this.#posix = host.posix;
    this.#violations = violations;
  }

  /** How many events are registered through it. */
  get size(): number {
    return this.#live.size;
  }

  registerEvent<Private = undefined>(
    mode: number,
    fd: number,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId | number {
    const watched: EventCallback<Private> = (id, fired, data) => {
      this.#fired(id, fired);
      callback(id, fired, data);
    };
    const id = this.#registrar.registerEvent(mode, fd, timeoutSeconds, watched, privateData);
    if (id < 0) return id;
    if (this.#live.has(id)) this.#blame(`event id ${id} was given out although it is in use`);
    const dueSecond = this.#nowSecond() + timeoutSeconds;
    this.#live.set(id, { mode, fd, opening: this.#posix.opening(fd), timeoutSeconds, dueSecond });
    return id;
  }

  unregisterEvent(id: EventId): void {
    this.#live.delete(id);
    this.#registrar.unregisterEvent(id);
  }

  setMaxTimeout(timeoutSeconds: number): number {
    return this.#registrar.setMaxTimeout(timeoutSeconds);
  }

  #fired(id: EventId, mode: number): void {
    const event = this.#live.get(id);
    const what = `callback of event ${id} for ${modeName(mode)}`;
    if (this.#posix !== this.#host.posix) return this.#blame(`${what}, in a process that has died`);
    if (event === undefined) return this.#blame(`${what}, which is not registered`);
    if ((event.mode & mode) === 0) this.#blame(`${what}, registered for ${modeName(event.mode)}`);
    if (this.#posix.opening(event.fd) !== event.opening) {
      this.#blame(`${what} on descriptor ${event.fd}, which was closed since it was registered`);
    }
    if (mode === TIMEOUT && this.#nowSecond() < event.dueSecond) {
      this.#blame(`${what}, ${event.dueSecond - this.#nowSecond()} s before its time`);
    }
    if ((mode & ANY_DESCRIPTOR_MODE) !== 0 && event.opening === undefined) {
      this.#blame(`${what} on descriptor ${event.fd}, which is not open`);
    }
    event.dueSecond = this.#nowSecond() + event.timeoutSeconds;
  }

  #blame(what: string): void {
    this.#violations.add(this.#host.name, what);
  }

  #nowSecond(): number {
    return Math.floor(this.#host.clock.now());
  }
}
