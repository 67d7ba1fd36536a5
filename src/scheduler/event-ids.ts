// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventId } from './event.js';

/** The largest event id; counting resumes at 1 after it (rule I1). */
export const MAX_EVENT_ID = 2 ** 31 - 1;

const SMALLEST_CAPACITY = 16;
/** No event has this id: the mark of a free slot. */
const FREE = 0;
/** 2^32 divided by the golden ratio: multiplied by it, numbers that follow each other land far apart. */
const MULTIPLIER = 0x9e3779b1;
/** So many bits of an id, its lowest, keep ids that follow each other together: what is drawn in a row is close in memory. */
const NEIGHBOUR_BITS = 3;
const NEIGHBOURS = 2 ** NEIGHBOUR_BITS - 1;

/**
 * The events by id, and the counter that ids are drawn from.
 *
 * It is a hash table with open addressing, kept at most half full, and without marks for what was removed: those are what
 * makes a Map dear where ids come and go all the time beside many that stay.
 */
export class EventIds<Event extends { readonly id: EventId }> {
  readonly #largest: number;
  #keys = new Int32Array(SMALLEST_CAPACITY);
  #events = emptySlots<Event>(SMALLEST_CAPACITY);
  #size = 0;

  /** What the next registration tries first (C: the scheduler's uuid). */
  next = 1;

  /** @param largest the id after which counting resumes at 1 */
  constructor(largest = MAX_EVENT_ID) {
    this.#largest = largest;
  }

  get size(): number {
    return this.#size;
  }

  /** Draws a free id, skipping those of events in the table (rule I2); 0 when there is none. */
  draw(): EventId | 0 {
    const start = this.next;
    do {
      const id = this.next;
      this.next = id === this.#largest ? 1 : id + 1;
      // A counter that was set to 0 gives 0, which is no id, just as in C.
      if (this.get(id) === undefined) return id;
    } while (this.next !== start);
    return 0;
  }

  get(id: EventId): Event | undefined {
    return this.#events[this.#find(id)];
  }

  /** The event's id must be free. */
  add(event: Event): void {
    if (2 * (this.#size + 1) > this.#keys.length) this.#resize(2 * this.#keys.length);
    this.#put(this.#find(event.id), event.id, event);
    this.#size += 1;
  }

  /** An event must have the id. */
  delete(id: EventId): void {
    const mask = this.#keys.length - 1;
    let gap = this.#find(id);
    // What follows the gap, and would have stood in it or before it had it been free, moves up.
    for (let slot = (gap + 1) & mask; this.#keys[slot] !== FREE; slot = (slot + 1) & mask) {
      const key = this.#keys[slot] as number;
      const distanceFromHome = (slot - this.#home(key)) & mask;
      if (distanceFromHome < ((slot - gap) & mask)) continue;
      this.#put(gap, key, this.#events[slot]);
      gap = slot;
    }
    this.#put(gap, FREE, undefined);
    this.#size -= 1;
    const { length } = this.#keys;
    if (length > SMALLEST_CAPACITY && 8 * this.#size < length) this.#resize(length / 2);
  }

  /** The slot that holds the id, or else the one that it would be put in. */
  #find(id: EventId): number {
    const mask = this.#keys.length - 1;
    let slot = this.#home(id);
    while (this.#keys[slot] !== FREE && this.#keys[slot] !== id) slot = (slot + 1) & mask;
    return slot;
  }

  #home(id: EventId): number {
    const block = Math.imul(id >> NEIGHBOUR_BITS, MULTIPLIER) >>> 8;
    return ((block << NEIGHBOUR_BITS) | (id & NEIGHBOURS)) & (this.#keys.length - 1);
  }

  #put(slot: number, id: EventId | typeof FREE, event: Event | undefined): void {
    this.#keys[slot] = id;
    this.#events[slot] = event;
  }

  #resize(capacity: number): void {
    const events = this.#events;
    this.#keys = new Int32Array(capacity);
    this.#events = emptySlots<Event>(capacity);
    for (const event of events) {
      if (event !== undefined) this.#put(this.#find(event.id), event.id, event);
    }
  }
}

function emptySlots<Event>(capacity: number): (Event | undefined)[] {
  return new Array<Event | undefined>(capacity).fill(undefined);
}
