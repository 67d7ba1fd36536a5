// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** What is asked of a poller: for each descriptor number, the conditions that are waited for. */
export class Interest {
  readonly #conditions = new Map<number, number>();

  /** Asks for `conditions` on `fd`, 0 for none. */
  set(fd: number, conditions: number): void {
    if (conditions === 0) this.#conditions.delete(fd);
    else this.#conditions.set(fd, conditions);
  }

  clear(): void {
    this.#conditions.clear();
  }

  /** The mask of conditions asked for on `fd`; 0 when none. */
  conditions(fd: number): number {
    return this.#conditions.get(fd) ?? 0;
  }

  /** The descriptors asked for under one condition, ascending. */
  descriptors(condition: number): number[] {
    return [...this.#conditions]
      .filter(([, conditions]) => (conditions & condition) !== 0)
      .map(([fd]) => fd)
      .toSorted((a, b) => a - b);
  }

  /** The highest descriptor asked for, at least `least`. */
  highest(least: number): number {
    return Math.max(least, ...this.#conditions.keys());
  }
}
