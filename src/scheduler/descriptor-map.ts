// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What is kept of one descriptor number. */
export interface DescriptorEntry {
  readonly fd: number;
  /** What is asked for on it: a mask, 0 for nothing. */
  readonly conditions: number;
}

/** Descriptor numbers below this one, as all that are ever open are, are looked up in an array. */
const USUAL_DESCRIPTORS = 2 ** 20;

/** Entries by descriptor number, and what is asked of them all. */
export class DescriptorMap<Entry extends DescriptorEntry> {
  readonly #create: (fd: number) => Entry;
  /** By number. An entry stays once it was used: the table is as long as the highest number in use so far. */
  readonly #usual: (Entry | undefined)[] = [];
  /** Numbers that no descriptor has, such as negative ones, but that events may be registered on all the same. */
  readonly #unusual = new Map<number, Entry>();

  constructor(create: (fd: number) => Entry) {
    this.#create = create;
  }

  /** The entry of a number; undefined when it never had one. */
  find(fd: number): Entry | undefined {
    return fd >= 0 && fd < USUAL_DESCRIPTORS ? this.#usual[fd] : this.#unusual.get(fd);
  }

  findOrCreate(fd: number): Entry {
    return this.find(fd) ?? this.#add(this.#create(fd));
  }

  /** Forgets the entry of a number that no descriptor has; the others stay for their next use. */
  release(entry: Entry): void {
    if (this.#unusual.size > 0) this.#unusual.delete(entry.fd);
  }

  conditions(fd: number): number {
    return this.find(fd)?.conditions ?? 0;
  }

  /** The numbers asked for under one condition, ascending. Costs as much as there are numbers. */
  descriptors(condition: number): number[] {
    return this.#asked()
      .filter(({ conditions }) => conditions & condition)
      .map(({ fd }) => fd)
      .toSorted((a, b) => a - b);
  }

  /** The highest number asked for, at least `least`. Costs as much as there are numbers. */
  highest(least: number): number {
    return this.#asked().reduce((highest, { fd }) => Math.max(highest, fd), least);
  }

  #add(entry: Entry): Entry {
    const { fd } = entry;
    if (fd < 0 || fd >= USUAL_DESCRIPTORS) {
      this.#unusual.set(fd, entry);
    } else {
      while (this.#usual.length < fd) this.#usual.push(undefined);
      this.#usual[fd] = entry;
    }
    return entry;
  }

  #asked(): Entry[] {
    return [...this.#usual, ...this.#unusual.values()].filter((entry) => entry?.conditions) as Entry[];
  }
}
