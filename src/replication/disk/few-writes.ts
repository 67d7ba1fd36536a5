// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A checkpoint of so many writes is a small one. */
const FEW = 8;

/**
 * Whether checkpoints have few writes each, as with a flush after every write. Someone waits for such a checkpoint, so its
 * writes are sent and stored while there is still time before the commit; with many, gathering them takes less.
 */
export class FewWrites {
  #writes = 0;
  #wereFew = false;

  /** Counts a write of the open checkpoint. @returns whether it should go at once */
  wrote(): boolean {
    this.#writes += 1;
    return this.isDue;
  }

  /** Whether what waits should go at once. */
  get isDue(): boolean {
    return this.#wereFew && this.#writes <= FEW;
  }

  /** The open checkpoint is closed. One without writes says nothing about the next. */
  closed(): void {
    if (this.#writes > 0) this.#wereFew = this.#writes <= FEW;
    this.#writes = 0;
  }

  /** The open checkpoint is dropped. */
  dropped(): void {
    this.#writes = 0;
  }
}
