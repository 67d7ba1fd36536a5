// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventDescription } from '../scheduler/event.js';
import type { SchedulerObserver } from '../scheduler/observer.js';

/**
 * Notifies several observers, in order; on the way out of a callback too. They may come and go while the scheduler works:
 * one that is added within a callback sees that callback's end without its beginning.
 */
export class ObserverList implements SchedulerObserver {
  #observers: readonly SchedulerObserver[] = [];
  /** These two are there only while one of the observers has them: every wait passes here. */
  sleeping: (() => void) | undefined = undefined;
  woke: ((answer: number) => void) | undefined = undefined;

  constructor(observers: readonly SchedulerObserver[] = []) {
    this.#set(observers);
  }

  /** @returns what removes it again; idempotent */
  add(observer: SchedulerObserver): Disposable {
    this.#set([...this.#observers, observer]);
    return { [Symbol.dispose]: () => this.#set(this.#observers.filter((other) => other !== observer)) };
  }

  registered(event: EventDescription): void {
    for (const observer of this.#observers) observer.registered?.(event);
  }

  unregistered(event: EventDescription): void {
    for (const observer of this.#observers) observer.unregistered?.(event);
  }

  entering(event: EventDescription, mode: number): void {
    for (const observer of this.#observers) observer.entering?.(event, mode);
  }

  left(event: EventDescription, mode: number): void {
    for (const observer of this.#observers) observer.left?.(event, mode);
  }

  #set(observers: readonly SchedulerObserver[]): void {
    this.#observers = observers;
    const ofSleep = observers.filter((observer) => 'sleeping' in observer || 'woke' in observer);
    this.sleeping = undefined;
    this.woke = undefined;
    if (ofSleep.length === 0) return;
    this.sleeping = () => {
      for (const observer of ofSleep) observer.sleeping?.();
    };
    this.woke = (answer) => {
      for (const observer of ofSleep) observer.woke?.(answer);
    };
  }
}

/** An {@link ObserverList} that stays as it is. */
export function combineObservers(observers: readonly SchedulerObserver[]): SchedulerObserver {
  return new ObserverList(observers);
}
