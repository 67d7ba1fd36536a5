// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Scheduler, type SchedulerOptions, type SchedulerWarning } from '../../src/scheduler/index.js';
import { MemoryPoller } from './memory-poller.js';

/** A scheduler over descriptors in memory and a clock that a test sets, with the callbacks it calls written down. */
export function schedulerInMemory(options: Partial<SchedulerOptions> = {}) {
  const poller = new MemoryPoller();
  const clock = { seconds: 1000, now: () => clock.seconds };
  const warnings: SchedulerWarning[] = [];
  const fired: string[] = [];
  const scheduler = new Scheduler({
    poller,
    clock,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  /** A callback that writes its name down, then does something. */
  const named =
    (name: string, action: () => void = () => {}) =>
    (): void => {
      fired.push(name);
      action();
    };
  return { scheduler, poller, clock, warnings, fired, named };
}
