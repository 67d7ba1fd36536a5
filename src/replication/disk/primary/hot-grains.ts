// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A stream of writes has bits set so many grains ahead, at most. */
const MAX_AHEAD = 64;

/** Grains whose bits stay set, as they are written again and again; and how far to set bits ahead of a stream of writes. */
export class HotGrains {
  readonly #limit: number;
  /** In the order of their last write. */
  readonly #grains = new Set<number>();
  #expected = -1;
  #ahead = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(grain: number): boolean {
    return this.#grains.has(grain);
  }

  touch(grain: number): void {
    this.#grains.delete(grain);
    this.#grains.add(grain);
    if (this.#grains.size <= this.#limit) return;
    for (const oldest of this.#grains) {
      this.#grains.delete(oldest);
      return;
    }
  }

  /** How many grains after these to raise with them: more and more for writes that go on where the last ones ended. */
  ahead(from: number, to: number): number {
    this.#ahead = from === this.#expected ? Math.min(Math.max(this.#ahead * 2, 1), MAX_AHEAD) : 0;
    this.#expected = to + this.#ahead + 1;
    return this.#ahead;
  }

  clear(): void {
    this.#grains.clear();
  }
}
