// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { MicrosecondClock } from '../posix/clock.js';
import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor } from '../posix/poller.js';
import type { Descriptor } from '../posix/posix.js';
import { ANY_MODE, type EventDescription, type EventId, type EventMode, TIMEOUT } from './event.js';
import { EventIds } from './event-ids.js';
import { EventList, type EventNode } from './event-list.js';
import { isInt32 } from './int32.js';
import { MaskableDeadlines } from './maskable-deadlines.js';
import type { SchedulerObserver } from './observer.js';
import { PendingPass } from './pending-pass.js';
import { RetriedSelect } from './retried-select.js';
import { Tapdisk3Event } from './tapdisk3-event.js';
import type { Tapdisk3Callback, Tapdisk3Registrar } from './tapdisk3-registrar.js';
import { UnmaskedInterest } from './unmasked-interest.js';
import { WaitStack } from './wait-stack.js';
import { badDescriptorWarning, eventsOnDescriptors, type SchedulerWarning } from './warning.js';

/** The longest sleep of a wait in microseconds (rule T-W4). */
export const MAX_TIMEOUT_MICROSECONDS = 600_000_000;

/** What a scheduler of tapdisk3's dialect works with. */
export interface Tapdisk3SchedulerOptions {
  /** What select is asked of. It is this scheduler's alone. */
  readonly poller: Poller;
  readonly clock: MicrosecondClock;
  readonly onWarning?: (warning: SchedulerWarning) => void;
  readonly observer?: SchedulerObserver | undefined;
  /** The id after which counting resumes at 1; 2147483647 unless a test would see all of them held. */
  readonly maxEventId?: number;
}

/**
 * tapdisk3's poll scheduler (C: scheduler_t in today's blktap): events by id that can be masked, timeouts in microseconds,
 * and a wait that settles what fires before its first callback, and that a callback may call.
 *
 * Guaranteed, beyond the rules: registering, masking, setting a timeout and a wait cost what is ready or due and the
 * logarithm of the number of events, not the number of events. Differs from C: the wait is asynchronous, so a callback that
 * waits returns a promise; what changes while select sleeps takes part in that wait; where C panics (B1, B2) it goes on.
 */
export class Tapdisk3Scheduler implements Tapdisk3Registrar {
  readonly timeUnit = 'microseconds';
  readonly #poller: Poller;
  readonly #clock: MicrosecondClock;
  readonly #onWarning: (warning: SchedulerWarning) => void;
  readonly #observer: SchedulerObserver | undefined;

  readonly #ids: EventIds<Tapdisk3Event>;
  readonly #order = new EventList<Tapdisk3Event>();
  readonly #deadlines = new MaskableDeadlines();
  readonly #interest: UnmaskedInterest;
  readonly #select: RetriedSelect;
  readonly #pass: PendingPass;
  readonly #waits: WaitStack;
  /** Unregistered since a wait last freed them; as many at most as were registered meanwhile. */
  readonly #dead: Tapdisk3Event[] = [];
  #nextSequence = 0;
  /** Caps the next select's sleep. It starts at 0, so that the first wait does not sleep (rule T-W2). */
  #cap = 0;

  constructor(options: Tapdisk3SchedulerOptions) {
    const { poller, clock, onWarning = () => {}, observer, maxEventId } = options;
    this.#ids = new EventIds(maxEventId);
    this.#poller = poller;
    this.#clock = clock;
    this.#onWarning = onWarning;
    this.#observer = observer;
    const interest = new UnmaskedInterest((fd, conditions) => poller.setInterest(fd, conditions));
    const select = new RetriedSelect(poller, this.#now);
    const pass = new PendingPass({
      interest,
      deadlines: this.#deadlines,
      fire: (event, modes) => this.#fire(event, modes),
    });
    this.#interest = interest;
    this.#select = select;
    this.#pass = pass;
    this.#waits = new WaitStack({
      select,
      pass,
      beginSleep: () => {
        this.#observer?.sleeping?.();
        return this.#deadlines.timeToFirst(this.#now, this.#cap);
      },
      selected: (ready) => this.#selected(ready),
      selectFailed: (answer) => this.#selectFailed(answer),
      freeDead: () => this.#freeDead(),
    });
  }

  /** What the next registration tries first as its id (rule T-I1); settable so that a wrap-around can be tested. */
  get nextEventId(): number {
    return this.#ids.next;
  }

  set nextEventId(id: number) {
    this.#ids.next = id;
  }

  /** How many events are registered: the live ones. */
  get size(): number {
    return this.#ids.size - this.#dead.length;
  }

  /** The live events in the order of registration. */
  *events(): Generator<EventDescription, void, undefined> {
    yield* this.#order;
  }

  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeout: number,
    callback: Tapdisk3Callback<Private>,
    privateData?: Private,
  ): EventId {
    const deadline = this.#now() + timeout;
    if (!isInt32(mode) || !isInt32(fd) || !isTimeout(timeout, deadline)) return -errno.EINVAL;
    if ((mode & ANY_MODE) === 0 || typeof callback !== 'function') return -errno.EINVAL;
    if (this.#ids.next <= 0) this.#ids.next = 1; // T-I3
    const id = this.#ids.draw();
    if (id === 0) return -errno.EBUSY;

    const sequence = this.#nextSequence++;
    const event = new Tapdisk3Event({ sequence, id, mode, fd, timeout, deadline }, callback, privateData);
    this.#ids.add(event);
    event.orderNode = this.#order.append(event);
    if (event.asksForDescriptor) this.#interest.add(event);
    this.#deadlines.put(event);
    this.#shortenFor(event);
    this.#observer?.registered?.(event);
    return id;
  }

  unregisterEvent(id: EventId): void {
    const event = this.#ids.get(id);
    if (event === undefined || !event.live) return;
    event.live = false;
    this.#dead.push(event);
    this.#order.remove(event.orderNode as EventNode<Tapdisk3Event>);
    this.#deadlines.remove(event);
    if (event.asksForDescriptor && !event.masked) this.#interest.remove(event);
    this.#observer?.unregistered?.(event);
  }

  maskEvent(id: EventId, masked: boolean): void {
    const event = this.#ids.get(id);
    if (event === undefined || !event.live || event.masked === masked) return;
    this.#deadlines.setMasked(event, masked);
    if (event.asksForDescriptor) {
      if (masked) this.#interest.remove(event);
      else this.#interest.add(event);
    }
    this.#shortenFor(event);
  }

  setEventTimeout(id: EventId, timeout: number): number {
    const deadline = this.#now() + timeout;
    if (id === 0 || !isTimeout(timeout, deadline)) return -errno.EINVAL;
    const event = this.#ids.get(id);
    if (event === undefined) return -errno.ENOENT;
    if ((event.mode & TIMEOUT) === 0) return -errno.EINVAL;
    if (!event.live) return 0;
    event.timeout = timeout;
    event.deadline = deadline;
    this.#deadlines.put(event);
    this.#shortenFor(event);
    return 0;
  }

  setMaxTimeout(timeout: number): number {
    if (!Number.isSafeInteger(timeout)) return -errno.EINVAL;
    if (timeout < 0) return 0;
    this.#cap = Math.min(this.#cap, timeout);
    this.#select.shorten(timeout);
    return 0;
  }

  /**
   * One wait (rules T-W1 to T-W7; C: scheduler_wait_for_events): sleeps until something is ready or due and calls its callbacks.
   *
   * Called while a callback has not ended it is a wait within that callback's (rules T-N1 to T-N5): what is still pending is
   * called, and select is asked only if nothing is.
   *
   * @returns 0, or select's negative errno, with nothing called; -EDEADLK when a wait sleeps already; -ELOOP within
   *   {@link MAX_NESTED_WAITS} waits
   * @throws (rejects with) what a callback throws, or a poller; the next wait starts over
   */
  waitForEvents(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waits.waitThen(resolve, reject);
    });
  }

  /**
   * {@link waitForEvents} for a loop that waits for ever: calls one of the two once, and makes no promise if poller and
   * callbacks need none, as this is the way of every message through a descriptor. Outside of callbacks it calls them from an
   * empty stack, but for -EDEADLK.
   *
   * @param answered gets what the wait returns; it may wait again
   * @param failed gets what a callback, or the poller, has thrown
   */
  waitThen(answered: (answer: number) => void, failed: (error: unknown) => void): void {
    this.#waits.waitThen(answered, failed);
  }

  /** The events whose descriptor keeps select from working: it is not open. Each event is listed once. */
  eventsOnBadDescriptors(): EventDescription[] {
    return eventsOnDescriptors(this.#poller.badDescriptors(), (fd) => this.#interest.eventsOn(fd));
  }

  readonly #now = (): number => this.#clock.nowMicroseconds();

  /** A sleep under way must not go on beyond the event's deadline (B5 of the C). */
  #shortenFor(event: Tapdisk3Event): void {
    if (event.masked || !event.isTimed) return;
    this.#select.shorten(Math.max(0, event.deadline - this.#now()));
  }

  #selected(ready: readonly ReadyDescriptor[]): void {
    this.#cap = MAX_TIMEOUT_MICROSECONDS;
    this.#observer?.woke?.(ready.length);
    this.#pass.handOut(ready, this.#now);
  }

  #selectFailed(answer: number): void {
    this.#observer?.woke?.(answer);
    if (answer !== -errno.EBADF) return;
    for (const event of this.eventsOnBadDescriptors()) this.#onWarning(badDescriptorWarning(event));
  }

  #fire(event: Tapdisk3Event, modes: number): Promise<void> | undefined {
    if (event.isTimed) {
      event.deadline = this.#now() + event.timeout; // T-P5
      this.#deadlines.put(event);
    }
    if (event.masked) return undefined;
    this.#observer?.entering?.(event, modes);
    let callback: Promise<void> | undefined;
    try {
      callback = this.#waits.call(event, modes);
    } finally {
      if (callback === undefined) this.#observer?.left?.(event, modes);
    }
    return callback?.finally(() => this.#observer?.left?.(event, modes));
  }

  #freeDead(): void {
    for (let event = this.#dead.pop(); event; event = this.#dead.pop()) this.#ids.delete(event.id);
  }
}

/** Whether it is a number of microseconds, and gives an exact deadline (B9 of the C). */
function isTimeout(timeout: number, deadline: number): boolean {
  return Number.isSafeInteger(timeout) && (timeout < 0 || Number.isSafeInteger(deadline));
}
