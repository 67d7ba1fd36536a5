// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventDescription } from '../scheduler/event.js';
import type { SchedulerObserver } from '../scheduler/observer.js';

/** What is kept of an event: it is as the event was then. */
type EventFields = Pick<EventDescription, 'id' | 'mode' | 'fd' | 'timeoutSeconds'> & {
  readonly callbackName: string;
};

/** A thing that a scheduler did. Times are microseconds. */
export type SchedulerEntry =
  | { readonly kind: 'register' | 'unregister'; readonly at: number; readonly event: EventFields }
  | {
      readonly kind: 'callback';
      /** When it was entered. */
      readonly at: number;
      /** How long it took; if it has not ended, up to now. */
      readonly duration: number;
      readonly event: EventFields;
      /** The one mode that fired; with tapdisk3's scheduler all of them, or-ed. */
      readonly fired: number;
      readonly isUnderWay?: true;
    }
  | {
      readonly kind: 'sleep';
      readonly at: number;
      readonly duration: number;
      /** How many descriptors were ready, or a negative errno. */
      readonly answer: number;
    };

/** Turns what a scheduler does into entries, each when it is over. */
export class EntryObserver implements SchedulerObserver {
  readonly #now: () => number;
  readonly #add: (entry: SchedulerEntry) => void;
  /** The callbacks under way: tapdisk3's scheduler enters some within others. */
  readonly #entered: { readonly at: number; readonly event: EventFields; readonly fired: number }[] = [];
  /** When select was asked last. */
  #sleepsSince: number | undefined;

  /**
   * @param now in microseconds
   * @param add gets each entry, those of callbacks and sleeps at their end
   */
  constructor(now: () => number, add: (entry: SchedulerEntry) => void) {
    this.#now = now;
    this.#add = add;
  }

  registered(event: EventDescription): void {
    this.#add({ kind: 'register', at: this.#now(), event: fieldsOf(event) });
  }

  unregistered(event: EventDescription): void {
    this.#add({ kind: 'unregister', at: this.#now(), event: fieldsOf(event) });
  }

  entering(event: EventDescription, mode: number): void {
    this.#entered.push({ at: this.#now(), event: fieldsOf(event), fired: mode });
  }

  left(): void {
    const entered = this.#entered.pop();
    // An observer that is added within a callback sees only its end.
    if (entered === undefined) return;
    const { at, event, fired } = entered;
    this.#add({ kind: 'callback', at, duration: this.#now() - at, event, fired });
  }

  sleeping(): void {
    this.#sleepsSince = this.#now();
  }

  woke(answer: number): void {
    const at = this.#sleepsSince;
    if (at === undefined) return;
    this.#add({ kind: 'sleep', at, duration: this.#now() - at, answer });
  }

  /** The callbacks that have not ended, as far as they have come; the outermost first. */
  underWay(): SchedulerEntry[] {
    const now = this.#now();
    return this.#entered.map(({ at, event, fired }) => ({
      kind: 'callback',
      at,
      duration: now - at,
      event,
      fired,
      isUnderWay: true,
    }));
  }
}

function fieldsOf({ id, mode, fd, timeoutSeconds, callbackName = '' }: EventDescription): EventFields {
  return { id, mode, fd, timeoutSeconds, callbackName };
}
