// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Descriptor } from '../posix/posix.js';
import type { EventId, EventMode } from '../scheduler/event.js';
import type { Tapdisk3Callback, Tapdisk3Registrar } from '../scheduler/tapdisk3-registrar.js';
import type { Tapdisk3Scheduler } from '../scheduler/tapdisk3-scheduler.js';

/** The calls of a server of tapdisk3's dialect, in microseconds; they pass on to its scheduler, until the server has stopped. */
export class Tapdisk3Calls implements Tapdisk3Registrar {
  readonly timeUnit = 'microseconds';
  readonly #scheduler: Tapdisk3Scheduler;
  readonly #hasStopped: () => boolean;

  constructor(scheduler: Tapdisk3Scheduler, hasStopped: () => boolean) {
    this.#scheduler = scheduler;
    this.#hasStopped = hasStopped;
  }

  /** See {@link Tapdisk3Registrar.registerEvent}; -ECANCELED once the server has stopped. C: tapdisk_server_register_event. */
  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeout: number,
    callback: Tapdisk3Callback<Private>,
    privateData?: Private,
  ): EventId {
    if (this.#hasStopped()) return -errno.ECANCELED;
    return this.#scheduler.registerEvent(mode, fd, timeout, callback, privateData);
  }

  /** C: tapdisk_server_unregister_event. */
  unregisterEvent(id: EventId): void {
    this.#scheduler.unregisterEvent(id);
  }

  /** C: tapdisk_server_mask_event. */
  maskEvent(id: EventId, masked: boolean): void {
    this.#scheduler.maskEvent(id, masked);
  }

  /** C: tapdisk_server_event_set_timeout. */
  setEventTimeout(id: EventId, timeout: number): number {
    return this.#scheduler.setEventTimeout(id, timeout);
  }

  /** The C call takes whole seconds: that is {@link TapdiskServer.setMaxTimeout}. */
  setMaxTimeout(timeout: number): number {
    return this.#scheduler.setMaxTimeout(timeout);
  }
}
