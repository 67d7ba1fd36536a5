// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/**
 * A binary heap: the smallest entry is found at once, adding and removing cost the logarithm of the size.
 * Entries that compare equal come out in any order.
 */
export class Heap<Entry> {
  readonly entries: Entry[] = [];

  private readonly isBefore: (a: Entry, b: Entry) => boolean;
  private readonly onMove: (entry: Entry, index: number) => void;

  /**
   * @param isBefore whether one entry comes before another
   * @param onMove called with an entry's new index whenever it changes; -1 once it is removed
   */
  constructor(
    isBefore: (a: Entry, b: Entry) => boolean,
    onMove: (entry: Entry, index: number) => void = () => {},
  ) {
    this.isBefore = isBefore;
    this.onMove = onMove;
  }

  get smallest(): Entry | undefined {
    return this.entries[0];
  }

  push(entry: Entry): void {
    this.entries.push(entry);
    this.#siftUp(entry, this.entries.length - 1);
  }

  pop(): Entry | undefined {
    const smallest = this.entries[0];
    if (smallest !== undefined) this.removeAt(0);
    return smallest;
  }

  removeAt(index: number): void {
    const removed = this.entries[index] as Entry;
    const last = this.entries.pop() as Entry;
    if (index < this.entries.length) this.#place(last, index);
    this.onMove(removed, -1);
  }

  /** Restores the order after the entry at `index` has changed. */
  updateAt(index: number): void {
    this.#place(this.entries[index] as Entry, index);
  }

  #place(entry: Entry, index: number): void {
    const parent = this.entries[(index - 1) >> 1] as Entry;
    if (index > 0 && this.isBefore(entry, parent)) this.#siftUp(entry, index);
    else this.#siftDown(entry, index);
  }

  #siftUp(entry: Entry, index: number): void {
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.entries[parentIndex] as Entry;
      if (!this.isBefore(entry, parent)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(entry, index);
  }

  #siftDown(entry: Entry, index: number): void {
    const size = this.entries.length;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= size) break;
      let child = this.entries[childIndex] as Entry;
      const rightIndex = childIndex + 1;
      if (rightIndex < size && this.isBefore(this.entries[rightIndex] as Entry, child)) {
        childIndex = rightIndex;
        child = this.entries[rightIndex] as Entry;
      }
      if (!this.isBefore(child, entry)) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(entry, index);
  }

  #put(entry: Entry, index: number): void {
    this.entries[index] = entry;
    this.onMove(entry, index);
  }
}
