// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest } from '../posix/poller.js';
import { DESCRIPTOR_MODES } from './event.js';
import { EventList, type EventNode } from './event-list.js';
import type { RegisteredEvent } from './registered-event.js';

/** The events on one descriptor number, per condition in the order of registration. */
class DescriptorInterest {
  conditions = 0;
  readonly lists: (EventList | undefined)[] = [undefined, undefined, undefined];
}

/**
 * What the registered events ask of which descriptor: the sets that the C scheduler collects anew for every select
 * (scheduler_prepare_events), kept up to date instead.
 */
export class InterestSet implements Interest {
  readonly #descriptors = new Map<number, DescriptorInterest>();

  /** @param changed told of a descriptor's new conditions (0: none) whenever they change */
  constructor(private readonly changed: (fd: number, conditions: number) => void) {}

  add(event: RegisteredEvent): void {
    let descriptor = this.#descriptors.get(event.fd);
    if (descriptor === undefined) {
      descriptor = new DescriptorInterest();
      this.#descriptors.set(event.fd, descriptor);
    }
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const mode = DESCRIPTOR_MODES[index] as number;
      if ((event.mode & mode) === 0) continue;
      const list = (descriptor.lists[index] ??= new EventList());
      event.interestNodes[index] = list.append(event);
      descriptor.conditions |= mode;
    }
    if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);
  }

  remove(event: RegisteredEvent): void {
    const descriptor = this.#descriptors.get(event.fd) as DescriptorInterest;
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const node = event.interestNodes[index];
      if (node === undefined) continue;
      const list = descriptor.lists[index] as EventList;
      list.remove(node);
      if (list.isEmpty) descriptor.conditions &= ~(DESCRIPTOR_MODES[index] as number);
    }
    if (descriptor.conditions === 0) this.#descriptors.delete(event.fd);
    if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);
  }

  /** The oldest event that asks for a condition (an index into DESCRIPTOR_MODES) of a descriptor. */
  first(fd: number, index: number): EventNode | undefined {
    return this.#descriptors.get(fd)?.lists[index]?.head;
  }

  /** Every event on a descriptor, in the order of its conditions. */
  *eventsOn(fd: number): Generator<RegisteredEvent, void, undefined> {
    for (const list of this.#descriptors.get(fd)?.lists ?? []) {
      if (list !== undefined) yield* list;
    }
  }

  get nfds(): number {
    let highest = 0;
    for (const fd of this.#descriptors.keys()) highest = Math.max(highest, fd + 1);
    return highest === 0 ? 1 : highest;
  }

  conditions(fd: number): number {
    return this.#descriptors.get(fd)?.conditions ?? 0;
  }

  descriptors(condition: number): number[] {
    const found: number[] = [];
    for (const [fd, descriptor] of this.#descriptors) {
      if (descriptor.conditions & condition) found.push(fd);
    }
    return found.sort((a, b) => a - b);
  }
}
