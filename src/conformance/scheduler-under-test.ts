// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import type { Poller } from '../posix/poller.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** What a scheduler in this process has to offer to be run through the vectors. */
export interface SchedulerUnderTest extends EventRegistrar {
  /** The id that is tried next. */
  nextEventId: number;
  /**
   * One wait: select's count of ready bits, or a negative errno.
   * What a callback throws ends the wait and comes out of it.
   */
  waitForEvents(): Promise<number>;
}

export type SchedulerFactory = (poller: Poller, clock: Clock) => SchedulerUnderTest;

/** Ends a run whose vector has a limit: thrown in a handler, it leaves the wait by the way that any error takes. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
}
