// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The lowest number that a program's own descriptors get (rule D1): 0 to 2 are the standard streams in C. */
export const FIRST_DESCRIPTOR = 3;

/**
 * The numbers that are free, lowest first (rule D1).
 *
 * Numbers that were never used lie above `#next`; those given back lie in a binary heap, so that taking and giving
 * cost the logarithm of how many were given back, however many descriptors there are.
 */
export class FreeNumbers {
  readonly #end: number;
  readonly #heap: number[] = [];
  #next = FIRST_DESCRIPTOR;

  /** @param end the first number that is never handed out (C: RLIMIT_NOFILE) */
  constructor(end: number) {
    this.#end = end;
  }

  /** The lowest free number, which is then taken; undefined when none is left. */
  take(): number | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    if (lowest === undefined) return this.#next < this.#end ? this.#next++ : undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return lowest;
  }

  /** Gives back a number that `take` returned. */
  give(number: number): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as number;
      if (above <= number) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = number;
  }

  /** Puts `number` in at the top and lets it sink to its place. */
  #sink(number: number): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
      const below = heap[child] as number;
      if (below >= number) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = number;
  }
}
