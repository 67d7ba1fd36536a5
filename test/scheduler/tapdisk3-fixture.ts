// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  POLL_READ_FD,
  type SchedulerWarning,
  type Tapdisk3Callback,
  Tapdisk3Scheduler,
  type Tapdisk3SchedulerOptions,
} from '../../src/scheduler/index.js';
import { MemoryPoller } from './memory-poller.js';

/** tapdisk3's scheduler over descriptors in memory and a clock that a test sets, with the callbacks it calls written down. */
export function tapdisk3InMemory(
  options: Partial<Tapdisk3SchedulerOptions> = {},
  poller = new MemoryPoller(),
) {
  const clock = { microseconds: 1_000_000_000, nowMicroseconds: () => clock.microseconds };
  const warnings: SchedulerWarning[] = [];
  const fired: string[] = [];
  const scheduler = new Tapdisk3Scheduler({
    poller,
    clock,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  /** A callback that writes its name down, then does something. */
  const named =
    (name: string, action: () => ReturnType<Tapdisk3Callback> = () => {}) =>
    (): ReturnType<Tapdisk3Callback> => {
      fired.push(name);
      return action();
    };
  return { scheduler, poller, clock, warnings, fired, named };
}

/** These descriptors are ready to be read. */
export function readable(...fds: number[]) {
  return fds.map((fd) => ({ fd, conditions: POLL_READ_FD }));
}
