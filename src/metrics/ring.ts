// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The entries that were added last, up to a capacity. */
export class Ring<Entry> {
  readonly #capacity: number;
  readonly #entries: Entry[] = [];
  /** Where the oldest entry is, once it is full; the next one replaces it. */
  #oldest = 0;
  #dropped = 0;

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(entry: Entry): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[this.#oldest] = entry;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    this.#dropped += 1;
  }

  /** How many had to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** In the order in which they were added. */
  list(): Entry[] {
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
  }
}
