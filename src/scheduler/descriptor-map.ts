// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What is kept of one descriptor number. */
export interface DescriptorEntry {
  readonly fd: number;
}

/** Descriptor numbers below this one, as all that are ever open are, are looked up in an array. */
const USUAL_DESCRIPTORS = 2 ** 20;

/** Entries by descriptor number. */
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
    this.#unusual.delete(entry.fd);
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
}
