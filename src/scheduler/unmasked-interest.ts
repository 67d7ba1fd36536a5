// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { DescriptorMap } from './descriptor-map.js';
import { DESCRIPTOR_MODES } from './event.js';
import { Heap } from './heap.js';
import type { Tapdisk3Event } from './tapdisk3-event.js';

/** Events, the one registered first at the top. */
type InOrder = Heap<Tapdisk3Event>;

/** Makes, for each of DESCRIPTOR_MODES, a heap that keeps each event's index in it up to date. */
const makeHeap = DESCRIPTOR_MODES.map(
  (_, index) => (): InOrder =>
    new Heap(
      (a, b) => a.sequence < b.sequence,
      (event, at) => {
        event.interestIndexes[index] = at;
      },
    ),
);

/** The unmasked events on one descriptor number. */
class UnmaskedDescriptor {
  readonly fd: number;
  /** What they ask for together. */
  conditions = 0;
  /** For each of DESCRIPTOR_MODES, the events that ask for it. */
  readonly asking: (InOrder | undefined)[] = [undefined, undefined, undefined];

  constructor(fd: number) {
    this.fd = fd;
  }
}

/**
 * What the live, unmasked events ask of which descriptor (rule T-W3), kept up to date as they come, go and are masked.
 *
 * Masking takes an event out, and unmasking puts it back at its place in the order: both cost the logarithm of the number of
 * events that ask for the same.
 */
export class UnmaskedInterest {
  readonly #descriptors = new DescriptorMap((fd) => new UnmaskedDescriptor(fd));
  readonly #changed: (fd: number, conditions: number) => void;

  /** @param changed called with a descriptor's new conditions (0: none) whenever they change */
  constructor(changed: (fd: number, conditions: number) => void) {
    this.#changed = changed;
  }

  /** The event asks for its descriptor, which is not below 0. */
  add(event: Tapdisk3Event): void {
    const descriptor = this.#descriptors.findOrCreate(event.fd);
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const mode = DESCRIPTOR_MODES[index] as number;
      if ((event.mode & mode) === 0) continue;
      let asking = descriptor.asking[index];
      if (asking === undefined) {
        asking = (makeHeap[index] as () => InOrder)();
        descriptor.asking[index] = asking;
      }
      asking.push(event);
      descriptor.conditions |= mode;
    }
    if (descriptor.conditions !== before) this.#changed(event.fd, descriptor.conditions);
  }

  /** The event was added before. */
  remove(event: Tapdisk3Event): void {
    const descriptor = this.#descriptors.find(event.fd) as UnmaskedDescriptor;
    const before = descriptor.conditions;
    for (let index = 0; index < DESCRIPTOR_MODES.length; index++) {
      const mode = DESCRIPTOR_MODES[index] as number;
      if ((event.mode & mode) === 0) continue;
      const asking = descriptor.asking[index] as InOrder;
      asking.removeAt(event.interestIndexes[index] as number);
      if (asking.smallest === undefined) descriptor.conditions &= ~mode;
    }
    if (descriptor.conditions === 0) this.#descriptors.release(descriptor);
    if (descriptor.conditions !== before) this.#changed(event.fd, descriptor.conditions);
  }

  /** The first event in the order that asks for a condition (an index of DESCRIPTOR_MODES); undefined when none does. */
  first(fd: number, index: number): Tapdisk3Event | undefined {
    return this.#descriptors.find(fd)?.asking[index]?.smallest;
  }

  /** Every event on a descriptor, by condition: one that asks for several comes again. */
  *eventsOn(fd: number): Generator<Tapdisk3Event, void, undefined> {
    for (const asking of this.#descriptors.find(fd)?.asking ?? []) {
      if (asking !== undefined) yield* asking.entries;
    }
  }
}
