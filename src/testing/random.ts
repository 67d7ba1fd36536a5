// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The next word of a Weyl sequence, mixed: spreads one seed over the generator's four words of state. */
function mixed(word: number): number {
  let z = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) | 0;
}

/**
 * The one source of chance in a simulated world: everything that is not set is drawn from here, in the order in which
 * it is needed, so that a seed names a run. (The generator is sfc32: small, fast, and good enough to draw faults with;
 * it is not for secrets.)
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  readonly seed: number;

  /**
   * @param seed a safe integer; each gives another sequence. Anything else is a RangeError.
   * @throws RangeError unless it is a safe integer
   */
  constructor(seed: number) {
    this.seed = seed;
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a safe integer, not ${String(seed)}`);
    const low = seed | 0;
    const high = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#a = mixed(low + 0x9e3779b9);
    this.#b = mixed(high + 0x3c6ef372);
    this.#c = mixed(low ^ high ^ 0x5851f42d);
    // The first words still show the seed's own regularity: neighbouring seeds are to look unrelated.
    for (let round = 0; round < 12; round++) this.word();
  }

  /** 32 random bits, as an unsigned number. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  /** True `probability` of the time; draws nothing when it is 0. */
  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  /**
   * One of the items. Of none it is a RangeError.
   *
   * @throws RangeError when there is none
   */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** A generator of its own, whose use does not move this one's sequence on. */
  fork(): Random {
    return new Random(this.word() * 0x20_0000 + (this.word() & 0x1f_ffff));
  }
}
