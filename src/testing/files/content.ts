// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileRange } from '../../posix/file-holes.js';

/** The unit in which space is taken and given back, and in which a page cache keeps a file. */
export const PAGE_BYTES = 4096;

const ZEROES = new Uint8Array(PAGE_BYTES);

/**
 * The bytes of a file: pages where something was written or allocated, holes elsewhere, which read as zeroes.
 *
 * A page is never changed, only replaced, so that a copy of the whole shares all of them.
 */
export class FileContent {
  #pages: Map<number, Uint8Array>;
  #size: number;

  constructor(pages: ReadonlyMap<number, Uint8Array> = new Map(), size = 0) {
    this.#pages = new Map(pages);
    this.#size = size;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** How many pages take space. */
  get pages(): number {
    return this.#pages.size;
  }

  copy(): FileContent {
    return new FileContent(this.#pages, this.#size);
  }

  /** Fills as much of `buffer` as there is from `position` on, and returns how much that is: 0 at the end. */
  read(buffer: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(buffer.length, this.#size - position));
    forEachPage(position, length, (page, from, to, at) => {
      buffer.set((this.#pages.get(page) ?? ZEROES).subarray(from, to), at);
    });
    return length;
  }

  /** Nobody changes `bytes` any more: whole pages of it are kept as they are, since copies were half the time of a test. */
  write(bytes: Uint8Array, position: number): void {
    forEachPage(position, bytes.length, (page, from, to, at) => {
      const part = bytes.subarray(at, at + to - from);
      if (part.length === PAGE_BYTES) this.#pages.set(page, part);
      else this.#replace(page, from, part);
    });
    if (bytes.length > 0) this.extend(position + bytes.length);
  }

  /** Cuts the file off, or lets it end in a hole. */
  truncate(size: number): void {
    const end = Math.ceil(this.#size / PAGE_BYTES) * PAGE_BYTES;
    this.punch(size, end - size);
    this.#size = size;
  }

  /** Makes the file at least this long; what is new is a hole. */
  extend(size: number): void {
    this.#size = Math.max(this.#size, size);
  }

  /** Takes the space of a range, which goes on to read as it did. */
  allocate(position: number, length: number): void {
    forEachPage(position, length, (page) => {
      if (!this.#pages.has(page)) this.#pages.set(page, ZEROES);
    });
  }

  /** Makes a range read as zeroes, and frees its whole pages. */
  punch(position: number, length: number): void {
    forEachPage(position, length, (page, from, to) => {
      if (to - from === PAGE_BYTES) this.#pages.delete(page);
      else if (this.#pages.has(page)) this.#replace(page, from, ZEROES.subarray(0, to - from));
    });
  }

  /** Where no space is taken, in order; the last hole has no end. */
  holes(): FileRange[] {
    const holes: FileRange[] = [];
    let end = 0;
    for (const page of [...this.#pages.keys()].toSorted((a, b) => a - b)) {
      const start = page * PAGE_BYTES;
      if (start > end) holes.push({ start: end, end: start });
      end = start + PAGE_BYTES;
    }
    return [...holes, { start: end, end: Number.POSITIVE_INFINITY }];
  }

  /** How many pages a write or an allocation of a range would take. */
  missingPages(position: number, length: number): number {
    let missing = 0;
    forEachPage(position, length, (page) => {
      if (!this.#pages.has(page)) missing += 1;
    });
    return missing;
  }

  #replace(page: number, from: number, bytes: Uint8Array): void {
    const fresh = new Uint8Array(this.#pages.get(page) ?? ZEROES);
    fresh.set(bytes, from);
    this.#pages.set(page, fresh);
  }
}

/** Calls `visit` with each page of a range, the part of the page that is in it, and where in the range that part begins. */
function forEachPage(
  position: number,
  length: number,
  visit: (page: number, from: number, to: number, at: number) => void,
): void {
  const end = position + length;
  for (let at = position; at < end;) {
    const page = Math.floor(at / PAGE_BYTES);
    const start = page * PAGE_BYTES;
    const to = Math.min(end, start + PAGE_BYTES);
    visit(page, at - start, to - start, at - position);
    at = to;
  }
}
