// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventDescription } from './event.js';

/** Sees what a scheduler does, in order; for tracing and measuring. It must not throw. */
export interface SchedulerObserver {
  registered?(event: EventDescription): void;
  unregistered?(event: EventDescription): void;
  /** A callback is about to be entered for one mode; with tapdisk3's scheduler for several, or-ed. */
  entering?(event: EventDescription, mode: number): void;
  /**
   * That callback returned, or threw; with tapdisk3's scheduler, its promise is settled. There a callback may wait, and
   * others are entered and left before it is: the last one entered is the first one left.
   */
  left?(event: EventDescription, mode: number): void;
  /** A wait asks select, which may sleep. */
  readonly sleeping?: (() => void) | undefined;
  /**
   * Select has returned: how many descriptors are ready, or a negative errno. When the poller throws instead, `sleeping` has
   * no `woke`. With tapdisk3's scheduler, a select that is called again after EINTR sleeps once.
   */
  readonly woke?: ((answer: number) => void) | undefined;
}
