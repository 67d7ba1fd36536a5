// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor } from '../posix/posix.js';

/** A set of modes, or-ed. Plain numbers are taken for modes, descriptors and ids of events are not. */
export type EventMode = number & { readonly numberOf?: 'mode' };

/** An event's mode is a set of four bits (rule E2; C: SCHEDULER_POLL_READ_FD and so on). */
export const POLL_READ_FD: EventMode & 0x1 = 0x1;
export const POLL_WRITE_FD: EventMode & 0x2 = 0x2;
export const POLL_EXCEPT_FD: EventMode & 0x4 = 0x4;
export const TIMEOUT: EventMode & 0x8 = 0x8;

/** The modes that ask something of a descriptor, in the order in which a visit looks at them (rule P2). */
export const DESCRIPTOR_MODES = [POLL_READ_FD, POLL_WRITE_FD, POLL_EXCEPT_FD] as const;
export const ANY_DESCRIPTOR_MODE = POLL_READ_FD | POLL_WRITE_FD | POLL_EXCEPT_FD;
export const ANY_MODE = ANY_DESCRIPTOR_MODE | TIMEOUT;

/** A mode's name as the conformance vectors write it; several bits joined by `|`. */
export function modeName(mode: number): string {
  const names: string[] = [];
  if (mode & POLL_READ_FD) names.push('READ');
  if (mode & POLL_WRITE_FD) names.push('WRITE');
  if (mode & POLL_EXCEPT_FD) names.push('EXCEPT');
  if (mode & TIMEOUT) names.push('TIMEOUT');
  return names.join('|');
}

/**
 * A positive 32-bit number that names one registration (C: event_id_t). Plain numbers are taken for ids, descriptors are
 * not.
 */
export type EventId = number & { readonly numberOf?: 'event' };

/** What a callback may return: nothing looks at it, and a promise would not be waited for. */
export type CallbackResult = void | undefined | null | boolean | number | string;

/**
 * What an event calls (C: event_cb_t).
 *
 * @param id the event's id
 * @param mode the one mode that fired
 * @param privateData what was given at registration
 *
 * It runs to its end before anything else happens; nothing waits for a promise, so that an async function does not compile
 * as one.
 */
export type EventCallback<Private = unknown> = (
  id: EventId,
  mode: EventMode,
  privateData: Private,
) => CallbackResult;

/** What a dump or a warning reports about an event. */
export interface EventDescription {
  readonly id: EventId;
  readonly mode: EventMode;
  readonly fd: Descriptor;
  /** Of tapdisk3's scheduler: with a fraction, Infinity when the timeout is infinite. */
  readonly timeoutSeconds: number;
  /**
   * In seconds of the scheduler's clock. Of tapdisk2's: wrapped to 32 bits (rule E6); of tapdisk3's: with a fraction,
   * Infinity when there is none.
   */
  readonly deadlineSeconds: number;
  /** Of tapdisk3's scheduler: whether it is masked. */
  readonly masked?: boolean;
  /** The name of the function that it calls, which may say what it is for; empty when that has none. */
  readonly callbackName?: string;
}
