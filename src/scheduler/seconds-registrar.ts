// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { Descriptor } from '../posix/posix.js';
import type { EventCallback, EventId, EventMode } from './event.js';
import { isInt32 } from './int32.js';
import type { EventRegistrar } from './registrar.js';
import type { Tapdisk3Registrar } from './tapdisk3-registrar.js';

const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * tapdisk3's scheduler for a part that counts whole seconds, as those written for tapdisk2's do: seconds become microseconds,
 * and a negative timeout is due at once, not infinite. A callback may get several modes at once (rule T-P4).
 */
export class SecondsRegistrar implements EventRegistrar {
  readonly #registrar: Tapdisk3Registrar;

  constructor(registrar: Tapdisk3Registrar) {
    this.#registrar = registrar;
  }

  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId {
    if (!isInt32(timeoutSeconds)) return -errno.EINVAL;
    const timeout = Math.max(0, timeoutSeconds) * MICROSECONDS_PER_SECOND;
    return this.#registrar.registerEvent(mode, fd, timeout, callback, privateData);
  }

  unregisterEvent(id: EventId): void {
    this.#registrar.unregisterEvent(id);
  }

  setMaxTimeout(timeoutSeconds: number): number {
    if (!isInt32(timeoutSeconds)) return -errno.EINVAL;
    return this.#registrar.setMaxTimeout(timeoutSeconds * MICROSECONDS_PER_SECOND);
  }
}
