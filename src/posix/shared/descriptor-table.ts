// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Descriptor, Place } from './descriptor.js';
import { errno } from '../errno.js';
import { FreeNumbers } from './free-numbers.js';

/** The default number of descriptors: the usual RLIMIT_NOFILE, and C's FD_SETSIZE. */
export const DEFAULT_MAX_DESCRIPTORS = 1024;

/** One poller's interest in one number. */
export interface Watch {
  /** The conditions asked for, a mask. */
  readonly interest: number;
  /** The readiness under the number has changed, or what is open under it. */
  changed(): void;
}

/**
 * A number that is open, or watched, or both. Interest belongs to the number (rule D3), so the watches
 * stay where they are when the descriptor goes and another comes.
 */
export class Slot implements Place {
  readonly fd: number;
  readonly watches: Watch[] = [];
  #descriptor: Descriptor | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  get descriptor(): Descriptor | undefined {
    return this.#descriptor;
  }

  set descriptor(descriptor: Descriptor | undefined) {
    if (this.#descriptor !== undefined) this.#descriptor.place = undefined;
    this.#descriptor = descriptor;
    if (descriptor !== undefined) {
      descriptor.place = this;
      this.interestChanged();
    }
    this.readinessChanged();
  }

  readinessChanged(): void {
    for (const watch of this.watches) watch.changed();
  }

  /** Sets on the descriptor what all watches together ask for. */
  interestChanged(): void {
    if (this.#descriptor === undefined) return;
    let conditions = 0;
    for (const watch of this.watches) conditions |= watch.interest;
    this.#descriptor.interestChanged(conditions);
  }
}

/** The descriptors by number (rules D1 to D3). */
export class DescriptorTable {
  readonly #slots = new Map<number, Slot>();
  readonly #free: FreeNumbers;

  /** @param end the first number that is never handed out */
  constructor(end: number) {
    this.#free = new FreeNumbers(end);
  }

  /** What is open under a number; any other value is just not open (rule D2). */
  get(fd: number): Descriptor | undefined {
    return this.#slots.get(fd)?.descriptor;
  }

  /** Enters a descriptor under the lowest free number, or returns -EMFILE. */
  open(descriptor: Descriptor): number {
    const fd = this.#free.take();
    if (fd === undefined) return -errno.EMFILE;
    this.#slot(fd).descriptor = descriptor;
    return fd;
  }

  /** Puts another descriptor under an open number. */
  replace(fd: number, descriptor: Descriptor): void {
    this.#slot(fd).descriptor = descriptor;
  }

  /** Frees a number and returns what was open under it. */
  remove(fd: number): Descriptor | undefined {
    const slot = this.#slots.get(fd);
    const descriptor = slot?.descriptor;
    if (slot === undefined || descriptor === undefined) return undefined;
    slot.descriptor = undefined;
    this.#forgetIfUnused(slot);
    this.#free.give(fd);
    return descriptor;
  }

  /** Adds a watch to a number, open or not, until it is taken off with unwatch. */
  watch<W extends Watch>(fd: number, make: (slot: Slot) => W): W {
    const slot = this.#slot(fd);
    const watch = make(slot);
    slot.watches.push(watch);
    slot.interestChanged();
    return watch;
  }

  unwatch(slot: Slot, watch: Watch): void {
    slot.watches.splice(slot.watches.indexOf(watch), 1);
    slot.interestChanged();
    this.#forgetIfUnused(slot);
  }

  /** Everything that is open, ascending by number. */
  entries(): { fd: number; descriptor: Descriptor }[] {
    const entries = [];
    for (const { fd, descriptor } of this.#slots.values()) {
      if (descriptor !== undefined) entries.push({ fd, descriptor });
    }
    return entries.toSorted((a, b) => a.fd - b.fd);
  }

  #slot(fd: number): Slot {
    let slot = this.#slots.get(fd);
    if (slot === undefined) {
      slot = new Slot(fd);
      this.#slots.set(fd, slot);
    }
    return slot;
  }

  #forgetIfUnused(slot: Slot): void {
    if (slot.descriptor === undefined && slot.watches.length === 0) this.#slots.delete(slot.fd);
  }
}
