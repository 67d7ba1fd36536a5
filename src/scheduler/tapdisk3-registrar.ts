// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor } from '../posix/posix.js';
import type { CallbackResult, EventId, EventMode } from './event.js';

/** A timeout or a cap without an end (C: TV_INF). Every negative number of microseconds is one (rule T-D1). */
export const INFINITE = -1;

/**
 * What an event of tapdisk3's scheduler calls (C: event_cb_t).
 *
 * @param id the event's id
 * @param modes all modes that it is pending with, or-ed (rule T-P4)
 * @param privateData what was given at registration
 *
 * One that waits for events ({@link Tapdisk3Scheduler.waitForEvents}), or for anything else, returns a promise. The pass
 * stands still until it is settled: no other callback is called, except by waits within this one.
 */
export type Tapdisk3Callback<Private = unknown> = (
  id: EventId,
  modes: EventMode,
  privateData: Private,
) => CallbackResult | Promise<CallbackResult>;

/** What a part that lives on tapdisk3's scheduler needs of it. All times are whole microseconds. */
export interface Tapdisk3Registrar {
  /** Keeps it from being taken for an {@link EventRegistrar}, whose calls have the same names and count seconds. */
  readonly timeUnit: 'microseconds';

  /**
   * Registers an event (C: scheduler_register_event, tapdisk_server_register_event).
   *
   * @param mode POLL_READ_FD, POLL_WRITE_FD, POLL_EXCEPT_FD and TIMEOUT, or-ed
   * @param fd the descriptor; one below 0 is never asked for (rule T-W3), and none is for TIMEOUT alone
   * @param timeout microseconds, negative for {@link INFINITE}; without TIMEOUT in the mode it is never used
   * @param callback what to call
   * @param privateData handed to the callback
   * @returns the id (>= 1); -EINVAL for a mode without a known bit, a callback that is not a function, a mode or descriptor
   *   that is not a 32-bit integer, or a timeout that is not a whole number or has no exact deadline; -EBUSY when no id is free
   */
  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeout: number,
    callback: Tapdisk3Callback<Private>,
    privateData?: Private,
  ): EventId;

  /** The event does not fire any more (rule T-U1); an id of no live event does nothing. C: scheduler_unregister_event. */
  unregisterEvent(id: EventId): void;

  /**
   * Masks an event, or unmasks it (rules T-M1 to T-M4): a masked one is not asked for and not called, while its timer runs on in
   * silence. An unknown id does nothing. C: scheduler_mask_event.
   */
  maskEvent(id: EventId, masked: boolean): void;

  /**
   * Gives an event a new timeout, in microseconds, and a deadline that counts from now (rules T-S1, T-S2). A wait that sleeps
   * takes notice. C: scheduler_event_set_timeout.
   *
   * @returns 0; -ENOENT when no event has the id; -EINVAL for id 0, an event without TIMEOUT in its mode, or a timeout that
   *   registerEvent would not take
   */
  setEventTimeout(id: EventId, timeout: number): number;

  /**
   * Caps the next select's sleep (rule T-W7), in microseconds; a negative number changes nothing. C: scheduler_set_max_timeout,
   * which returns nothing.
   *
   * @returns 0, or -EINVAL for a number that is not whole
   */
  setMaxTimeout(timeout: number): number;
}
