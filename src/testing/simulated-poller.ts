// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DescriptorTable, Slot, Watch } from '../posix/shared/descriptor-table.js';
import { errno } from '../posix/errno.js';
import type { Poller, ReadyDescriptor, SelectDone } from '../posix/poller.js';
import type { FutureEvent } from './event-queue.js';

/** What a poller needs of the process that it belongs to. */
export interface PollerHost {
  readonly table: DescriptorTable;
  /** Runs an action after a virtual while. */
  after(seconds: number, action: () => void): FutureEvent;
  cancel(event: FutureEvent | undefined): void;
  /** How long it takes this time from a descriptor's becoming ready to select's answer. */
  wakeLatencySeconds(): number;
  /** A select is asked: a negative errno makes it fail. */
  selecting(asked: readonly ReadyDescriptor[], timeoutSeconds: number): number | undefined;
  /** A select has returned. */
  selected(answer: readonly ReadyDescriptor[] | number): void;
  closed(poller: SimulatedPoller): void;
}

/** One number's place in what a poller asks for. */
class NumberWatch implements Watch {
  interest: number;

  private readonly poller: SimulatedPoller;
  readonly slot: Slot;

  constructor(poller: SimulatedPoller, slot: Slot, interest: number) {
    this.interest = interest;
    this.poller = poller;
    this.slot = slot;
  }

  changed(): void {
    this.poller.watchChanged(this);
  }

  /** What is asked for and holds. */
  get hot(): number {
    return (this.slot.descriptor?.ready ?? 0) & this.interest;
  }
}

/**
 * select in virtual time.
 *
 *     idle --select--> sleeping --something ready or bad, or the time is over--> waking --a moment later--> idle
 *                         ^------------------- nothing is ready any more, and there is time left --'
 */
export class SimulatedPoller implements Poller {
  readonly #watches = new Map<number, NumberWatch>();
  readonly #hot = new Set<NumberWatch>();
  readonly #bad = new Set<number>();
  #done: SelectDone | undefined;
  #deadline: FutureEvent | undefined;
  #waking: FutureEvent | undefined;
  #isDue = false;
  #failure: number | undefined;
  #isClosed = false;
  #isAbandoned = false;

  private readonly host: PollerHost;

  constructor(host: PollerHost) {
    this.host = host;
  }

  /** Whether a select is under way. */
  get isSleeping(): boolean {
    return this.#done !== undefined;
  }

  setInterest(fd: number, conditions: number): void {
    if (this.#isClosed) return;
    let watch = this.#watches.get(fd);
    if (conditions === 0) {
      if (watch !== undefined) this.#forget(fd, watch);
      return;
    }
    if (watch === undefined) {
      watch = this.host.table.watch(fd, (slot) => new NumberWatch(this, slot, conditions));
      this.#watches.set(fd, watch);
    } else watch.interest = conditions;
    this.watchChanged(watch);
  }

  /** Beside what {@link Poller.select} says: -EINVAL for a timeout that is none, -EBUSY in a select, -EBADF once closed. */
  select(timeoutSeconds: number, done: SelectDone): void {
    const failure = this.host.selecting(this.#asked(), timeoutSeconds);
    if (this.#isAbandoned) return;
    const fault = this.#fault(timeoutSeconds);
    if (fault !== 0) {
      queueMicrotask(() => done(fault));
      return;
    }
    this.#done = done;
    this.#failure = failure;
    this.#isDue = failure !== undefined;
    this.#setDeadline(timeoutSeconds);
    this.#wakeIfNeeded();
  }

  shorten(timeoutSeconds: number): void {
    if (this.#done === undefined || !(timeoutSeconds >= 0)) return;
    const before = this.#deadline as FutureEvent;
    this.#setDeadline(timeoutSeconds);
    const after = this.#deadline as FutureEvent;
    const isLater = before.position >= 0 && before.atMicroseconds <= after.atMicroseconds;
    this.host.cancel(isLater ? after : before);
    if (isLater) this.#deadline = before;
  }

  badDescriptors(): number[] {
    return [...this.#bad].toSorted((a, b) => a - b);
  }

  close(): void {
    for (const [fd, watch] of this.#watches) this.#forget(fd, watch);
    this.#isClosed = true;
    this.#answer([]);
    this.host.closed(this);
  }

  /** The process is dead: no select returns any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#done = undefined;
    this.host.cancel(this.#deadline);
    this.host.cancel(this.#waking);
  }

  /** What is ready under a number, or what is open there, or what is asked for has changed. */
  watchChanged(watch: NumberWatch): void {
    const { slot } = watch;
    if (slot.descriptor === undefined) this.#bad.add(slot.fd);
    else this.#bad.delete(slot.fd);
    if (watch.hot !== 0) this.#hot.add(watch);
    else this.#hot.delete(watch);
    this.#wakeIfNeeded();
  }

  #fault(timeoutSeconds: number): number {
    if (this.#isClosed) return -errno.EBADF;
    if (!(timeoutSeconds >= 0)) return -errno.EINVAL;
    return this.#done === undefined ? 0 : -errno.EBUSY;
  }

  /** What is asked for, by number. */
  #asked(): ReadyDescriptor[] {
    return [...this.#watches]
      .map(([fd, { interest }]) => ({ fd, conditions: interest }))
      .toSorted((a, b) => a.fd - b.fd);
  }

  #forget(fd: number, watch: NumberWatch): void {
    this.#watches.delete(fd);
    this.#hot.delete(watch);
    this.#bad.delete(fd);
    this.host.table.unwatch(watch.slot, watch);
  }

  #setDeadline(seconds: number): void {
    this.#deadline = this.host.after(seconds, () => {
      this.#isDue = true;
      this.#wakeIfNeeded();
    });
  }

  #wakeIfNeeded(): void {
    if (this.#done === undefined || this.#waking !== undefined) return;
    if (!this.#isDue && this.#hot.size === 0 && this.#bad.size === 0) return;
    this.#waking = this.host.after(this.host.wakeLatencySeconds(), () => this.#wake());
  }

  #wake(): void {
    this.#waking = undefined;
    if (this.#failure !== undefined) return this.#answer(this.#failure);
    if (this.#bad.size > 0) return this.#answer(-errno.EBADF);
    if (this.#hot.size === 0 && !this.#isDue) return;
    const ready = [...this.#hot].map((watch) => ({ fd: watch.slot.fd, conditions: watch.hot }));
    this.#answer(ready.toSorted((a, b) => a.fd - b.fd));
  }

  #answer(answer: readonly ReadyDescriptor[] | number): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.host.cancel(this.#deadline);
    this.host.selected(answer);
    // From an empty stack, whatever made it ready.
    queueMicrotask(() => done(answer));
  }
}
