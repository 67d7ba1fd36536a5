// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor } from '../posix/posix.js';
import type { Clock } from '../posix/clock.js';
import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor } from '../posix/poller.js';
import { Deadlines } from './deadlines.js';
import {
  ANY_DESCRIPTOR_MODE,
  ANY_MODE,
  type EventCallback,
  type EventDescription,
  type EventId,
  type EventMode,
  TIMEOUT,
} from './event.js';
import { EventIds } from './event-ids.js';
import { EventList, type EventNode } from './event-list.js';
import { isInt32 } from './int32.js';
import { InterestSet } from './interest-set.js';
import type { SchedulerObserver } from './observer.js';
import { Pass } from './pass.js';
import { RegisteredEvent } from './registered-event.js';
import type { EventRegistrar } from './registrar.js';
import {
  badDescriptorWarning,
  eventsOnDescriptors,
  passCutWarning,
  type SchedulerWarning,
} from './warning.js';

/** The longest sleep of a wait in seconds (rule W2; C: SCHEDULER_MAX_TIMEOUT). */
export const MAX_TIMEOUT_SECONDS = 600;

/** How many callbacks one pass may call unless set otherwise. */
export const DEFAULT_MAX_CALLBACKS_PER_PASS = 10_000;

/** What a scheduler works with. */
export interface SchedulerOptions {
  /** What select is called on. It belongs to this scheduler only. */
  readonly poller: Poller;
  readonly clock: Clock;
  /** A pass that would call more callbacks than this is cut and goes on in the next wait; an integer >= 1, 10,000 unless set. */
  readonly maxCallbacksPerPass?: number;
  readonly onWarning?: (warning: SchedulerWarning) => void;
  readonly observer?: SchedulerObserver | undefined;
}

/**
 * tapdisk's poll scheduler (C: scheduler_t): events by id, and one wait that selects and calls what is ready or due.
 *
 * Guaranteed, beyond the rules: registering, unregistering and a wait cost what is ready or due and the logarithm of the
 * number of TIMEOUT events, not the number of events. Differs from C: the wait is asynchronous, so events may be registered
 * while it sleeps, and take part in that wait; an endless pass is cut; a wait within a wait is refused.
 */
export class Scheduler implements EventRegistrar {
  readonly #poller: Poller;
  readonly #clock: Clock;
  readonly #onWarning: (warning: SchedulerWarning) => void;
  readonly #observer: SchedulerObserver | undefined;
  readonly #maxCallbacksPerPass: number;

  readonly #ids = new EventIds<RegisteredEvent>();
  readonly #order = new EventList<RegisteredEvent>();
  readonly #deadlines = new Deadlines<RegisteredEvent>();
  readonly #interest: InterestSet;
  readonly #pass: Pass;
  #nextSequence = 0;
  /** Caps the next wait's sleep, at most 600 s. It starts at 0, so that the first wait does not sleep (rule W3). */
  #capSeconds = 0;
  /** A wait is under way. */
  #waiting = false;

  /** @throws RangeError when maxCallbacksPerPass is not an integer of at least 1 */
  constructor(options: SchedulerOptions) {
    const { poller, clock, maxCallbacksPerPass = DEFAULT_MAX_CALLBACKS_PER_PASS } = options;
    if (!Number.isInteger(maxCallbacksPerPass) || maxCallbacksPerPass < 1) {
      throw new RangeError(
        `maxCallbacksPerPass is ${maxCallbacksPerPass}, but must be an integer of at least 1`,
      );
    }
    this.#poller = poller;
    this.#clock = clock;
    this.#maxCallbacksPerPass = maxCallbacksPerPass;
    this.#onWarning = options.onWarning ?? (() => {});
    this.#observer = options.observer;
    this.#interest = new InterestSet((fd, conditions) => poller.setInterest(fd, conditions));
    this.#pass = new Pass(
      {
        order: this.#order,
        interest: this.#interest,
        deadlines: this.#deadlines,
        fire: (event, mode) => this.#fire(event, mode),
      },
      maxCallbacksPerPass,
    );
  }

  /** What the next registration tries first as its id (rule I1); settable so that a wrap-around can be tested. */
  get nextEventId(): number {
    return this.#ids.next;
  }

  set nextEventId(id: number) {
    this.#ids.next = id;
  }

  /** How many events are registered. */
  get size(): number {
    return this.#ids.size;
  }

  /** The events in the order of registration. */
  *events(): Generator<EventDescription, void, undefined> {
    yield* this.#order;
  }

  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId {
    const integers = isInt32(mode) && isInt32(fd) && isInt32(timeoutSeconds);
    if (!integers || (mode & ANY_MODE) === 0 || typeof callback !== 'function') return -errno.EINVAL;
    const id = this.#ids.draw();
    if (id === 0) return -errno.EBUSY;

    const sequence = this.#nextSequence++;
    const deadline = this.#deadlineAfter(timeoutSeconds);
    const event = new RegisteredEvent(
      sequence,
      id,
      mode,
      fd,
      timeoutSeconds,
      deadline,
      callback,
      privateData,
    );
    this.#ids.add(event);
    event.orderNode = this.#order.append(event);
    if (mode & TIMEOUT) this.#deadlines.put(event);
    if (mode & ANY_DESCRIPTOR_MODE) this.#interest.add(event);
    if (this.#pass.running) this.#pass.registered(event);
    if (mode & TIMEOUT) this.#poller.shorten(Math.max(0, timeoutSeconds));
    this.#observer?.registered?.(event);
    return id;
  }

  unregisterEvent(id: EventId): void {
    const event = this.#ids.get(id);
    if (event === undefined) return;
    event.live = false;
    this.#ids.delete(id);
    this.#order.remove(event.orderNode as EventNode<RegisteredEvent>);
    this.#deadlines.remove(event);
    if (event.mode & ANY_DESCRIPTOR_MODE) this.#interest.remove(event);
    if (this.#pass.running) this.#pass.unregistered(event);
    this.#observer?.unregistered?.(event);
  }

  setMaxTimeout(timeoutSeconds: number): number {
    if (!isInt32(timeoutSeconds)) return -errno.EINVAL;
    if (timeoutSeconds < 0) return 0;
    this.#capSeconds = Math.min(this.#capSeconds, timeoutSeconds);
    this.#poller.shorten(timeoutSeconds);
    return 0;
  }

  /**
   * One wait (rules W1 to W5; C: scheduler_wait_for_events): sleeps until something is ready or due and calls its callbacks.
   *
   * @returns what select returned: the number of ready conditions (0 when only deadlines were due), or a negative errno,
   *   with nothing called; -EDEADLK when a wait is under way already, as in a callback
   * @throws (rejects with) what a callback throws, or a poller; the next wait starts over
   */
  waitForEvents(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.waitThen(resolve, reject);
    });
  }

  /**
   * {@link waitForEvents} for a loop that waits for ever: calls one of the two once, from an empty stack but for -EDEADLK,
   * and without a promise, as this is the way of every message through a descriptor.
   *
   * @param done gets what the wait returns; it may wait again
   * @param failed gets what a callback, or the poller, has thrown
   */
  waitThen(done: (result: number) => void, failed: (error: unknown) => void): void {
    if (this.#waiting) {
      done(-errno.EDEADLK);
      return;
    }
    this.#waiting = true;
    this.#observer?.sleeping?.();
    try {
      this.#poller.select(this.#selectTimeout(), (selected) => {
        let result: number;
        try {
          result = this.#selected(selected);
        } catch (error) {
          failed(error);
          return;
        }
        done(result);
      });
    } catch (error) {
      this.#selectEnded();
      failed(error);
    }
  }

  /** The events whose descriptor keeps select from working: it is not open. Each event is listed once. */
  eventsOnBadDescriptors(): EventDescription[] {
    return eventsOnDescriptors(this.#poller.badDescriptors(), (fd) => this.#interest.eventsOn(fd));
  }

  #selectTimeout(): number {
    return this.#deadlines.secondsToFirst(this.#nowSeconds, this.#capSeconds);
  }

  readonly #selected = (ready: readonly ReadyDescriptor[] | number): number => {
    this.#capSeconds = MAX_TIMEOUT_SECONDS;
    this.#observer?.woke?.(typeof ready === 'number' ? ready : ready.length);
    try {
      if (typeof ready === 'number') {
        if (ready === -errno.EBADF) this.#warnOfBadDescriptors();
        return ready;
      }
      const cutAt = this.#pass.run(ready, this.#nowSeconds());
      if (cutAt !== undefined) this.#warnOfCut(cutAt);
      return countConditions(ready);
    } finally {
      this.#waiting = false;
    }
  };

  /** The poller has failed: the cap is used up all the same (rule W3). */
  #selectEnded(): void {
    this.#capSeconds = MAX_TIMEOUT_SECONDS;
    this.#waiting = false;
  }

  #fire(event: RegisteredEvent, mode: number): void {
    if (event.mode & TIMEOUT) {
      event.deadline = this.#deadlineAfter(event.timeoutSeconds);
      this.#deadlines.put(event);
    }
    this.#observer?.entering?.(event, mode);
    try {
      (event.callback as EventCallback)(event.id, mode, event.privateData);
    } finally {
      this.#observer?.left?.(event, mode);
    }
  }

  readonly #nowSeconds = (): number => Math.floor(this.#clock.now());

  /** Rules E4 and E6. */
  #deadlineAfter(timeoutSeconds: number): number {
    return (this.#nowSeconds() + timeoutSeconds) | 0;
  }

  #warnOfBadDescriptors(): void {
    for (const event of this.eventsOnBadDescriptors()) this.#onWarning(badDescriptorWarning(event));
  }

  #warnOfCut(event: EventDescription): void {
    this.#onWarning(passCutWarning(event, this.#maxCallbacksPerPass));
  }
}

/** How many bits are set over all descriptors, as select counts. */
function countConditions(ready: readonly ReadyDescriptor[]): number {
  let count = 0;
  for (const { conditions } of ready) {
    for (let left = conditions; left !== 0; left &= left - 1) count += 1;
  }
  return count;
}
