// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SectorRange } from '../index.js';

interface Waiting {
  readonly range: SectorRange;
  readonly start: () => void;
}

/**
 * Keeps changes of the same sectors in the order in which they were asked for: one that shares a sector with an earlier
 * one starts when that has ended. Others pass it.
 *
 * It looks at every change under way, of which there are at most as many as a VBD lets be in flight.
 */
export class WriteOrder {
  readonly #underWay = new Set<SectorRange>();
  #waiting: Waiting[] = [];

  /** The changes that have started and not ended. */
  get underWay(): Iterable<SectorRange> {
    return this.#underWay;
  }

  /** Calls `start` now, or once no earlier change of the range is left. Each one that started must be {@link end}ed. */
  begin(range: SectorRange, start: () => void): void {
    if (this.#conflicts(range)) {
      this.#waiting.push({ range, start });
      return;
    }
    this.#underWay.add(range);
    start();
  }

  /** `range`: the object that was given to {@link begin}. */
  end(range: SectorRange): void {
    this.#underWay.delete(range);
    if (this.#waiting.length === 0) return;
    const candidates = this.#waiting;
    this.#waiting = [];
    const startable: Waiting[] = [];
    for (const waiting of candidates) {
      // Those still waiting before it count too: they are in #waiting again by now.
      if (this.#conflicts(waiting.range)) {
        this.#waiting.push(waiting);
      } else {
        this.#underWay.add(waiting.range);
        startable.push(waiting);
      }
    }
    for (const { start } of startable) start();
  }

  #conflicts(range: SectorRange): boolean {
    for (const other of this.#underWay) if (overlap(range, other)) return true;
    return this.#waiting.some((waiting) => overlap(range, waiting.range));
  }
}

function overlap(a: SectorRange, b: SectorRange): boolean {
  return a.sector < b.sector + b.sectors && b.sector < a.sector + a.sectors;
}
