// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { EventId } from './event.js';
import type { RegisteredEvent } from './registered-event.js';

/** The largest event id; counting resumes at 1 behind it (rule I1). */
export const MAX_EVENT_ID = 2 ** 31 - 1;

/** The live events by id, and the counter that ids are drawn from. */
export class EventIds {
  readonly #live = new Map<EventId, RegisteredEvent>();

  /** What the next registration tries first (C: the scheduler's uuid). */
  next = 1;

  get size(): number {
    return this.#live.size;
  }

  /** Draws a free id, skipping live ones (rule I2); 0 when there is none. */
  draw(): EventId | 0 {
    const start = this.next;
    do {
      const id = this.next;
      this.next = id === MAX_EVENT_ID ? 1 : id + 1;
      // A counter that was set to 0 gives 0, which is no id, just as in C.
      if (!this.#live.has(id)) return id;
    } while (this.next !== start);
    return 0;
  }

  get(id: EventId): RegisteredEvent | undefined {
    return this.#live.get(id);
  }

  add(event: RegisteredEvent): void {
    this.#live.set(event.id, event);
  }

  delete(id: EventId): void {
    this.#live.delete(id);
  }
}
