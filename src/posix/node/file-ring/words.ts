// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The atomic steps on shared 32-bit words that the rings are made of; a test takes them one at a time. */
export interface Words {
  load(index: number): number;
  store(index: number, value: number): void;
  /** @returns the value before */
  exchange(index: number, value: number): number;
  /** Stores `value` if the word is `expected`. @returns the value before */
  compareExchange(index: number, expected: number, value: number): number;
  /** Blocks the thread while the word is `value`, until it is notified. */
  wait(index: number, value: number): void;
  /** Wakes the thread that waits on the word, if there is one. */
  notify(index: number): void;
}

/** The processor's own. */
export class AtomicWords implements Words {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  load(index: number): number {
    return Atomics.load(this.#words, index);
  }
  store(index: number, value: number): void {
    Atomics.store(this.#words, index, value);
  }
  exchange(index: number, value: number): number {
    return Atomics.exchange(this.#words, index, value);
  }
  compareExchange(index: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#words, index, expected, value);
  }
  wait(index: number, value: number): void {
    Atomics.wait(this.#words, index, value);
  }
  notify(index: number): void {
    Atomics.notify(this.#words, index, 1);
  }
}
