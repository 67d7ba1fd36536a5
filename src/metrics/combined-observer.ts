// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SchedulerObserver } from '../scheduler/observer.js';

/** Tells several observers, in their order; on the way out of a callback too. */
export function combineObservers(observers: readonly SchedulerObserver[]): SchedulerObserver {
  return {
    registered(event) {
      for (const observer of observers) observer.registered?.(event);
    },
    unregistered(event) {
      for (const observer of observers) observer.unregistered?.(event);
    },
    entering(event, mode) {
      for (const observer of observers) observer.entering?.(event, mode);
    },
    left(event, mode) {
      for (const observer of observers) observer.left?.(event, mode);
    },
  };
}
