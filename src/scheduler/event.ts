// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** An event's mode is a set of four bits (rule E2; C: SCHEDULER_POLL_READ_FD and so on). */
export const POLL_READ_FD = 0x1;
export const POLL_WRITE_FD = 0x2;
export const POLL_EXCEPT_FD = 0x4;
export const TIMEOUT = 0x8;

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

/** A positive 32-bit number that names one registration (C: event_id_t). */
export type EventId = number;

/**
 * What an event calls (C: event_cb_t).
 *
 * @param id the event's id
 * @param mode the one mode that fired
 * @param privateData what was given at registration
 *
 * It runs to its end before anything else happens; a promise that it returns is not waited for.
 */
export type EventCallback<Private = unknown> = (id: EventId, mode: number, privateData: Private) => void;

/** What a dump or a warning tells of an event. */
export interface EventDescription {
  readonly id: EventId;
  readonly mode: number;
  readonly fd: number;
  readonly timeoutSeconds: number;
  /** In seconds of the scheduler's clock, wrapped to 32 bits (rule E6). */
  readonly deadline: number;
}
