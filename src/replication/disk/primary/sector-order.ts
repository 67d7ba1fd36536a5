// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

interface Range {
  readonly sector: number;
  readonly sectors: number;
}

/**
 * Lets changes go once each is ready, but none before an earlier one of the same sectors.
 *
 * It looks at those that wait, which are as many as the user of the disk has under way.
 */
export class SectorOrder<Change extends Range> {
  readonly #go: (change: Change) => void;
  /** In the order in which they were added. */
  readonly #waiting = new Map<Change, boolean>();

  constructor(go: (change: Change) => void) {
    this.#go = go;
  }

  add(change: Change, isReady: boolean): void {
    if (isReady && !this.#isBehind(change)) this.#go(change);
    else this.#waiting.set(change, isReady);
  }

  /** A change that was added may go. */
  isReady(change: Change): void {
    this.#waiting.set(change, true);
    this.#release();
  }

  /** A change that was added never goes. */
  drop(change: Change): void {
    this.#waiting.delete(change);
    this.#release();
  }

  #release(): void {
    for (const [change, isReady] of this.#waiting) {
      if (!isReady || this.#isBehind(change)) continue;
      this.#waiting.delete(change);
      this.#go(change);
    }
  }

  /** Whether an earlier change of the same sectors waits. */
  #isBehind(change: Change): boolean {
    for (const other of this.#waiting.keys()) {
      if (other === change) return false;
      if (other.sector < change.sector + change.sectors && change.sector < other.sector + other.sectors)
        return true;
    }
    return false;
  }
}
