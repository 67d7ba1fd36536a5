// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor } from '../posix/posix.js';
import type { EventCallback, EventId, EventMode } from './event.js';

/** What a part that lives on a scheduler needs of it: the scheduler and the server both are one. */
export interface EventRegistrar {
  /** Keeps tapdisk3's scheduler, which counts microseconds, from being taken for one; see `SecondsRegistrar`. */
  readonly timeUnit?: 'seconds';

  /**
   * Registers an event (C: scheduler_register_event, tapdisk_server_register_event).
   *
   * @param mode POLL_READ_FD, POLL_WRITE_FD, POLL_EXCEPT_FD and TIMEOUT, or-ed
   * @param fd the descriptor; not looked at here (rule E3), and never for TIMEOUT alone
   * @param timeoutSeconds whole seconds, 32 bits, may be negative (due at once)
   * @param callback what to call
   * @param privateData handed to the callback
   * @returns the id (>= 1); -EINVAL for a mode without a known bit, a callback that is not a function, or a number that
   *   is not a 32-bit integer; -EBUSY when no id is free (rule I2)
   */
  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId;

  /** Removes an event at once; an unknown id does nothing at all (rule I3). C: scheduler_unregister_event. */
  unregisterEvent(id: EventId): void;

  /**
   * Caps the next wait's sleep (rule W3); a negative number changes nothing. C: scheduler_set_max_timeout, which returns nothing.
   *
   * @returns 0, or -EINVAL for a number that is not a 32-bit integer
   */
  setMaxTimeout(timeoutSeconds: number): number;
}
