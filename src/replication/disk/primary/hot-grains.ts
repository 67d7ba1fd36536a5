// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A stream of writes has bits set so many grains ahead, at most. */
const MAX_AHEAD = 64;

/** Grains whose bits stay set, as they are written again and again; and how far to set bits ahead of a stream of writes. */
export class HotGrains {
  readonly #limit: number;
  /** In the order of their last write. */
  readonly #grains = new Set<number>();
  /** How far bits were set ahead of the last write, and where the next one of the same stream begins. */
  #last: { readonly ahead: number; readonly next: number } | undefined;

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
    const last = this.#last;
    const ahead = last?.next === from ? Math.min(Math.max(last.ahead * 2, 1), MAX_AHEAD) : 0;
    this.#last = { ahead, next: to + ahead + 1 };
    return ahead;
  }

  clear(): void {
    this.#grains.clear();
  }
}
