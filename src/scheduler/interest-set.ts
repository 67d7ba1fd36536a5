// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Interest } from '../posix/poller.js';
import { DESCRIPTOR_MODES } from './event.js';
import { DescriptorInterest } from './descriptor-interest.js';
import { EventList } from './event-list.js';
import type { RegisteredEvent } from './registered-event.js';

/** Descriptor numbers below this one, as all that are ever open are, are looked up in an array. */
const USUAL_DESCRIPTORS = 2 ** 20;

/**
 * What the registered events ask of which descriptor: the sets that the C scheduler collects anew for every select
 * (scheduler_prepare_events), kept up to date instead.
 */
export class InterestSet implements Interest {
  /** By number. An entry stays once it was used: the table is as long as the highest number in use so far. */
  readonly #usual: (DescriptorInterest<RegisteredEvent> | undefined)[] = [];
  /** Numbers that no descriptor has, such as negative ones, but that events may be registered on all the same. */
  readonly #unusual = new Map<number, DescriptorInterest<RegisteredEvent>>();

  /** @param changed told of a descriptor's new conditions (0: none) whenever they change */
  constructor(private readonly changed: (fd: number, conditions: number) => void) {}

  add(event: RegisteredEvent): void {
    const descriptor = this.find(event.fd) ?? this.#create(event.fd);
    event.descriptor = descriptor;
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
    return fd >= 0 && fd < USUAL_DESCRIPTORS ? this.#usual[fd] : this.#unusual.get(fd);
  }

  /** Forgets an unusual number that nothing is asked of, and that has no bit set. */
  release(descriptor: DescriptorInterest<RegisteredEvent>): void {
    if (this.#unusual.size > 0 && descriptor.conditions === 0 && descriptor.bits === 0)
      this.#unusual.delete(descriptor.fd);
  }

  /** Every event on a descriptor, by condition and then in the order of registration: one that asks for several comes again. */
  *eventsOn(fd: number): Generator<RegisteredEvent, void, undefined> {
    for (const list of this.find(fd)?.lists ?? []) {
      if (list !== undefined) yield* list;
    }
  }

  get nfds(): number {
    return 1 + this.#all().reduce((highest, { fd }) => Math.max(highest, fd), 0);
  }

  conditions(fd: number): number {
    return this.find(fd)?.conditions ?? 0;
  }

  descriptors(condition: number): number[] {
    return this.#all()
      .filter(({ conditions }) => conditions & condition)
      .map(({ fd }) => fd)
      .toSorted((a, b) => a - b);
  }

  /** The descriptors that something is asked of. */
  #all(): DescriptorInterest<RegisteredEvent>[] {
    return [...this.#usual, ...this.#unusual.values()].filter(
      (descriptor) => descriptor?.conditions,
    ) as DescriptorInterest<RegisteredEvent>[];
  }

  #create(fd: number): DescriptorInterest<RegisteredEvent> {
    const descriptor = new DescriptorInterest<RegisteredEvent>(fd);
    if (fd < 0 || fd >= USUAL_DESCRIPTORS) {
      this.#unusual.set(fd, descriptor);
    } else {
      while (this.#usual.length < fd) this.#usual.push(undefined);
      this.#usual[fd] = descriptor;
    }
    return descriptor;
  }
}
