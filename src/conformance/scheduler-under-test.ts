// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock, MicrosecondClock } from '../posix/clock.js';
import type { Poller } from '../posix/poller.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { Tapdisk3Registrar } from '../scheduler/tapdisk3-registrar.js';

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

/** Makes a scheduler over a poller and a clock, one for each script. */
export type SchedulerFactory = (poller: Poller, clock: Clock) => SchedulerUnderTest;

/** What one of tapdisk3's dialect has to offer. */
export interface Tapdisk3UnderTest extends Omit<Tapdisk3Registrar, 'timeUnit'> {
  /** The id that is tried next. */
  nextEventId: number;
  /** One wait, also within a callback: 0, or a negative errno. What a callback throws ends it and comes out of it. */
  waitForEvents(): Promise<number>;
}

/** Makes a scheduler of tapdisk3's dialect over a poller and a clock, one for each script. */
export type Tapdisk3Factory = (poller: Poller, clock: MicrosecondClock) => Tapdisk3UnderTest;

/** Ends a run whose vector has a limit: thrown in a handler, it leaves the wait by the way that any error takes. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
}
