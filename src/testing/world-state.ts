// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventQueue } from './event-queue.js';
import type { NameService } from './name-service.js';
import type { Random } from './random.js';
import type { Trace } from './trace.js';

/** What everything in one world shares. */
export interface WorldState {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly trace: Trace;
  readonly names: NameService;
  /** What the clocks show when the world begins, in seconds since the epoch. */
  readonly startSeconds: number;
  readonly maxWakeLatencySeconds: number;
  /** How often read and write transfer only a part of what they could, 0 to 1. */
  readonly shortTransfers: number;
  /** A promise was resolved, and its waiter has not gone on yet. */
  mayProgress: boolean;
}
