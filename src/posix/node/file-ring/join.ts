// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { RingMemory } from './ring-memory.js';

/** How many calls are made as one at most, and how many bytes they have together at most, the last one not counted. */
const MAX_JOINED = 16;
const MAX_JOINED_BYTES = 256 << 10;

/** Which calls of a ring can be made as one: the same operation on one file, each where the last one ends. */
export const joins = {
  hasRoom(memory: RingMemory, slots: readonly number[]): boolean {
    if (slots.length >= MAX_JOINED) return false;
    const first = slots[0] as number;
    const last = slots.at(-1) as number;
    return memory.position(last) + memory.length(last) - memory.position(first) < MAX_JOINED_BYTES;
  },

  /** `next` may be a slot that is not claimed, and anything then. */
  adjoins(memory: RingMemory, slots: readonly number[], next: number): boolean {
    const last = slots.at(-1) as number;
    return (
      memory.operation(next) === memory.operation(last) &&
      memory.fd(next) === memory.fd(last) &&
      memory.position(next) === memory.position(last) + memory.length(last)
    );
  },
};

/** Sets the results of calls that were made as one, which moved all of their bytes, or of a single call. */
export function share(memory: RingMemory, slots: readonly number[], result: number): void {
  const only = slots.length === 1;
  for (const slot of slots) memory.setResult(slot, only ? result : memory.length(slot));
}
