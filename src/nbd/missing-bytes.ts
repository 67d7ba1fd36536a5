// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Which bytes of a READ's data no chunk has brought yet: each of them has to come exactly once, in any order. */
export class MissingBytes {
  #ranges: { readonly from: number; readonly to: number }[];

  constructor(length: number) {
    this.#ranges = [{ from: 0, to: length }];
  }

  get count(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** A chunk brings the bytes from `from` up to `to`. Returns false, and takes nothing, unless all of them are missing. */
  take(from: number, to: number): boolean {
    const index = this.#ranges.findIndex((range) => range.from <= from && to <= range.to);
    const range = this.#ranges[index];
    if (range === undefined || from >= to) return false;
    const left = [
      { from: range.from, to: from },
      { from: to, to: range.to },
    ];
    this.#ranges.splice(index, 1, ...left.filter((part) => part.from < part.to));
    return true;
  }
}
