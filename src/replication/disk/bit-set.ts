// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Bits of a page, which is made when its first bit is set: 2 GiB of a disk in grains of 64 KiB. */
const PAGE_BITS = 32_768;

/** A set of the whole numbers below a limit, which counts its members. It takes memory where it has some. */
export class BitSet {
  readonly size: number;
  readonly #pages: (Uint32Array | undefined)[];
  #count = 0;

  constructor(size: number) {
    this.size = size;
    this.#pages = Array.from({ length: Math.ceil(size / PAGE_BITS) }, () => undefined);
  }

  get count(): number {
    return this.#count;
  }

  has(bit: number): boolean {
    const word = this.#pages[Math.floor(bit / PAGE_BITS)]?.[(bit % PAGE_BITS) >>> 5] ?? 0;
    return (word & (1 << (bit & 31))) !== 0;
  }

  add(bit: number): void {
    if (this.has(bit)) return;
    const page = (this.#pages[Math.floor(bit / PAGE_BITS)] ??= new Uint32Array(PAGE_BITS / 32));
    const index = (bit % PAGE_BITS) >>> 5;
    page[index] = (page[index] as number) | (1 << (bit & 31));
    this.#count += 1;
  }

  delete(bit: number): void {
    if (!this.has(bit)) return;
    const page = this.#pages[Math.floor(bit / PAGE_BITS)] as Uint32Array;
    const index = (bit % PAGE_BITS) >>> 5;
    page[index] = (page[index] as number) & ~(1 << (bit & 31));
    this.#count -= 1;
  }

  /** Adds `from` to `to`, the latter included. */
  addRange(from: number, to: number): void {
    for (let bit = from; bit <= to; bit++) this.add(bit);
  }

  /** Adds all that there can be. */
  fill(): void {
    this.addRange(0, this.size - 1);
  }

  addAll(others: Iterable<number>): void {
    for (const bit of others) this.add(bit);
  }

  clear(): void {
    this.#pages.fill(undefined);
    this.#count = 0;
  }

  /** The first member from `from` on; -1 when there is none. */
  next(from: number): number {
    if (from >= this.size || this.#count === 0) return -1;
    let first = from % PAGE_BITS;
    for (let number = Math.floor(from / PAGE_BITS); number < this.#pages.length; number++) {
      const page = this.#pages[number];
      const found = page === undefined ? -1 : nextInPage(page, first);
      if (found >= 0) return number * PAGE_BITS + found;
      first = 0;
    }
    return -1;
  }

  /** The members, ascending. */
  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let bit = this.next(0); bit >= 0; bit = this.next(bit + 1)) yield bit;
  }
}

function nextInPage(page: Uint32Array, from: number): number {
  let mask = ~0 << (from & 31);
  for (let index = from >>> 5; index < page.length; index++) {
    const word = (page[index] as number) & mask;
    if (word !== 0) return index * 32 + (31 - Math.clz32(word & -word));
    mask = ~0;
  }
  return -1;
}
