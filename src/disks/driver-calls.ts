// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Descriptor } from '../posix/posix.js';
import type { EventCallback, EventId, EventMode } from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { LOG_CRIT, type Logger } from '../server/logger.js';
import { thrownText } from '../server/thrown-text.js';
import type { DoneWithReason } from './driver.js';

/** Logs what a driver has thrown, with where: a fault in its code, which must cost nobody else anything. */
export function logThrown(logger: Logger, where: string, error: unknown): void {
  logger.log(LOG_CRIT, `${where}: a driver threw ${thrownText(error)}`);
}

/** Makes a call of a driver and reports its result once: -EIO if the driver throws before it completes the call. */
export function callDriver(
  logger: Logger,
  where: string,
  call: (done: DoneWithReason) => void,
  done: DoneWithReason,
): void {
  let isCompleted = false;
  try {
    call((result, reason) => {
      if (isCompleted) throw new Error('a driver completed a call twice');
      isCompleted = true;
      done(result, reason);
    });
  } catch (error) {
    logThrown(logger, where, error);
    if (isCompleted) return;
    isCompleted = true;
    done(-errno.EIO, 'the driver has a fault: see the log');
  }
}

/** A registrar for drivers: an event whose callback throws is logged and unregistered, and the scheduler goes on. */
export class DriverRegistrar implements EventRegistrar {
  readonly #registrar: EventRegistrar;
  readonly #logger: Logger;

  constructor(registrar: EventRegistrar, logger: Logger) {
    this.#registrar = registrar;
    this.#logger = logger;
  }

  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId {
    const guarded: EventCallback<Private> = (id, fired, data) => {
      try {
        callback(id, fired, data);
      } catch (error) {
        logThrown(this.#logger, `event ${id}`, error);
        this.unregisterEvent(id);
      }
    };
    // A value that is not a function is refused by the registrar.
    const handed = typeof callback === 'function' ? named(guarded, callback.name) : callback;
    return this.#registrar.registerEvent(mode, fd, timeoutSeconds, handed, privateData);
  }
  unregisterEvent(id: EventId): void {
    this.#registrar.unregisterEvent(id);
  }
  setMaxTimeout(timeoutSeconds: number): number {
    return this.#registrar.setMaxTimeout(timeoutSeconds);
  }
}

/** Tables of events have a function's name. */
function named<Callback extends object>(callback: Callback, name: string): Callback {
  return Object.defineProperty(callback, 'name', { value: name });
}
