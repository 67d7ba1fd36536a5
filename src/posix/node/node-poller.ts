// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { DescriptorTable, Slot, Watch } from '../shared/descriptor-table.js';
import { Alarm } from './alarm.js';
import { errno } from '../errno.js';
import {
  EXCEPTIONAL,
  type Poller,
  READABLE,
  type ReadyDescriptor,
  type SelectDone,
  WRITABLE,
} from '../poller.js';
import type { Timers } from '../timers.js';

const ALL_CONDITIONS = READABLE | WRITABLE | EXCEPTIONAL;

/** One number's place in the poller's three sets: asked for, ready, bad. */
class NumberWatch implements Watch {
  readonly #poller: NodePoller;
  readonly slot: Slot;
  interest: number;
  /** Its place among the ready ones, -1 when it is not ready. */
  hotIndex = -1;

  constructor(poller: NodePoller, slot: Slot, interest: number) {
    this.#poller = poller;
    this.slot = slot;
    this.interest = interest;
  }

  changed(): void {
    this.#poller.watchChanged(this);
  }

  /** The conditions that are asked for and hold. */
  get hot(): number {
    const { descriptor } = this.slot;
    return descriptor === undefined ? 0 : descriptor.ready & this.interest;
  }
}

/**
 * select over a table's descriptors.
 *
 * It keeps the set of watches that are ready, which descriptors keep up to date as their readiness changes; a call looks
 * at nothing else, so that its cost is what is ready, however many numbers are asked for.
 *
 * A call goes through these states:
 *
 *     idle --select--> sleeping --first readiness, bad number, deadline--> collecting --setImmediate--> idle
 *            \         ^   \____________________________________________/     |          ^
 *             \        \____________________what woke it is gone_____________/           |
 *              \______________something ready or bad, timeout 0____________> collecting _/
 *
 * The way through setImmediate lets the event loop poll for I/O once and gathers what becomes ready in the same turn.
 */
export class NodePoller implements Poller {
  readonly #table: DescriptorTable;
  readonly #timers: Timers;
  readonly #alarm: Alarm;
  readonly #watches = new Map<number, NumberWatch>();
  /** In no order: taking one out moves the last to its place. */
  readonly #hot: NumberWatch[] = [];
  readonly #bad = new Set<number>();
  readonly #collect = (): void => {
    this.#collectReady();
  };
  #done: SelectDone | undefined;
  #deadlineMs = 0;
  #collecting = false;
  #closed = false;

  constructor(table: DescriptorTable, timers: Timers) {
    this.#table = table;
    this.#timers = timers;
    this.#alarm = new Alarm(timers, () => this.#wake());
  }

  setInterest(fd: number, conditions: number): void {
    if (this.#closed) return;
    const interest = conditions & ALL_CONDITIONS;
    let watch = this.#watches.get(fd);
    if (interest === 0) {
      if (watch !== undefined) this.#forget(fd, watch);
      return;
    }
    if (watch === undefined) {
      watch = this.#table.watch(fd, (slot) => new NumberWatch(this, slot, interest));
      this.#watches.set(fd, watch);
    } else {
      watch.interest = interest;
      watch.slot.interestChanged();
    }
    this.watchChanged(watch);
  }

  select(timeoutSeconds: number, done: SelectDone): void {
    const fault = this.#fault(timeoutSeconds);
    if (fault !== 0) {
      setImmediate(done, fault);
      return;
    }
    this.#done = done;
    this.#deadlineMs = this.#timers.now() + timeoutSeconds * 1000;
    if (timeoutSeconds === 0 || this.#hot.length > 0 || this.#bad.size > 0) this.#wake();
    else this.#alarm.set(this.#deadlineMs);
  }

  shorten(timeoutSeconds: number): void {
    if (this.#done === undefined || !(timeoutSeconds >= 0)) return;
    const deadlineMs = this.#timers.now() + timeoutSeconds * 1000;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    if (timeoutSeconds === 0) this.#wake();
    else this.#alarm.set(deadlineMs);
  }

  badDescriptors(): number[] {
    return [...this.#bad].toSorted((a, b) => a - b);
  }

  close(): void {
    for (const [fd, watch] of this.#watches) this.#forget(fd, watch);
    this.#closed = true;
    this.#alarm.close();
    if (this.#done !== undefined) setImmediate(this.#done, []);
    this.#done = undefined;
  }

  /** A descriptor's readiness, or what is open under a number, or the interest in it has changed. */
  watchChanged(watch: NumberWatch): void {
    const { slot } = watch;
    if (slot.descriptor === undefined) this.#bad.add(slot.fd);
    else if (this.#bad.size > 0) this.#bad.delete(slot.fd);
    if (watch.hot === 0) this.#cool(watch);
    else if (watch.hotIndex < 0) watch.hotIndex = this.#hot.push(watch) - 1;
    if (this.#done !== undefined && (this.#hot.length > 0 || this.#bad.size > 0)) this.#wake();
  }

  #cool(watch: NumberWatch): void {
    const index = watch.hotIndex;
    if (index < 0) return;
    const last = this.#hot.pop() as NumberWatch;
    if (last !== watch) {
      this.#hot[index] = last;
      last.hotIndex = index;
    }
    watch.hotIndex = -1;
  }

  /** Errors beside select's own: a time that is negative or none, a second call, and one after close. */
  #fault(timeoutSeconds: number): number {
    if (this.#closed) return -errno.EBADF;
    if (!(timeoutSeconds >= 0)) return -errno.EINVAL;
    return this.#done === undefined ? 0 : -errno.EBUSY;
  }

  #forget(fd: number, watch: NumberWatch): void {
    this.#watches.delete(fd);
    this.#cool(watch);
    this.#bad.delete(fd);
    this.#table.unwatch(watch.slot, watch);
  }

  #wake(): void {
    if (this.#collecting) return;
    this.#collecting = true;
    setImmediate(this.#collect);
  }

  #collectReady(): void {
    this.#collecting = false;
    if (this.#bad.size > 0) {
      this.#reply(-errno.EBADF);
      return;
    }
    if (this.#hot.length === 0 && this.#timers.now() < this.#deadlineMs) {
      // What woke it is gone again (read by somebody, or no longer asked for): the time is not over, so sleep on.
      if (this.#done !== undefined) this.#alarm.set(this.#deadlineMs);
      return;
    }
    const ready: ReadyDescriptor[] = [];
    for (const watch of this.#hot) ready.push({ fd: watch.slot.fd, conditions: watch.hot });
    if (ready.length > 1) ready.sort((a, b) => a.fd - b.fd);
    this.#reply(ready);
  }

  #reply(ready: readonly ReadyDescriptor[] | number): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(ready);
    // A loop of selects sleeps again by now. To let the timer go and hold it again would cost it more than the pass.
    if (this.#done === undefined) this.#alarm.clear();
  }
}
