// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DescriptorMap } from './descriptor-map.js';
import { DESCRIPTOR_MODES } from './event.js';
import { DescriptorInterest } from './descriptor-interest.js';
import { EventList } from './event-list.js';
import type { RegisteredEvent } from './registered-event.js';

/**
 * What the registered events ask of which descriptor: the sets that the C scheduler collects again for every select
 * (scheduler_prepare_events), kept up to date instead.
 */
export class InterestSet {
  readonly #descriptors = new DescriptorMap((fd) => new DescriptorInterest<RegisteredEvent>(fd));

  private readonly changed: (fd: number, conditions: number) => void;

  /** @param changed called with a descriptor's new conditions (0: none) whenever they change */
  constructor(changed: (fd: number, conditions: number) => void) {
    this.changed = changed;
  }

  add(event: RegisteredEvent): void {
    const descriptor = this.#descriptors.findOrCreate(event.fd);
    event.descriptor = descriptor;
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const mode = DESCRIPTOR_MODES[index] as number;
      if ((event.mode & mode) === 0) continue;
      const list = (descriptor.lists[index] ??= new EventList<RegisteredEvent>());
      event.interestNodes[index] = list.append(event);
      descriptor.conditions |= mode;
    }
    if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);
  }

  remove(event: RegisteredEvent): void {
    const descriptor = event.descriptor as DescriptorInterest<RegisteredEvent>;
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const node = event.interestNodes[index];
      if (node === undefined) continue;
      const list = descriptor.lists[index] as EventList<RegisteredEvent>;
      list.remove(node);
      if (list.isEmpty) descriptor.conditions &= ~(DESCRIPTOR_MODES[index] as number);
    }
    this.release(descriptor);
    if (descriptor.conditions !== before) this.changed(event.fd, descriptor.conditions);
  }

  /** What is asked of a descriptor; undefined when nothing ever was. */
  find(fd: number): DescriptorInterest<RegisteredEvent> | undefined {
    return this.#descriptors.find(fd);
  }

  /** Forgets an unusual number that nothing is asked of, and that has no bit set. */
  release(descriptor: DescriptorInterest<RegisteredEvent>): void {
    if (descriptor.conditions === 0 && descriptor.bits === 0) this.#descriptors.release(descriptor);
  }

  /** Every event on a descriptor, by condition and then in the order of registration: one that asks for several comes again. */
  *eventsOn(fd: number): Generator<RegisteredEvent, void, undefined> {
    for (const list of this.find(fd)?.lists ?? []) {
      if (list !== undefined) yield* list;
    }
  }
}
