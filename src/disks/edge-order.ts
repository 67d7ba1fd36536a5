// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SectorRange } from './driver.js';

interface Waiting {
  readonly range: SectorRange;
  readonly isEdge: boolean;
  readonly start: () => void;
}

/**
 * Lets a sector be read, changed in part and written back without losing what others change of it meanwhile: such an edge
 * and any other change of its sector happen one after the other, in the order in which they were asked for. Changes of whole
 * sectors are not held up by each other here; their drivers keep their order.
 */
export class EdgeOrder {
  readonly #changes = new Set<SectorRange>();
  readonly #edges = new Set<SectorRange>();
  #waiting: Waiting[] = [];

  /** Calls `start` now, or once it may. Each change that started must be {@link end}ed, with the same object. */
  begin(range: SectorRange, isEdge: boolean, start: () => void): void {
    if (this.#mustWait(range, isEdge)) {
      this.#waiting.push({ range, isEdge, start });
      return;
    }
    (isEdge ? this.#edges : this.#changes).add(range);
    start();
  }

  end(range: SectorRange): void {
    if (!this.#changes.delete(range)) this.#edges.delete(range);
    if (this.#waiting.length === 0) return;
    const candidates = this.#waiting;
    this.#waiting = [];
    const startable: Waiting[] = [];
    for (const waiting of candidates) {
      // Those still waiting before it count too: they are in #waiting again by now.
      if (this.#mustWait(waiting.range, waiting.isEdge)) {
        this.#waiting.push(waiting);
      } else {
        (waiting.isEdge ? this.#edges : this.#changes).add(waiting.range);
        startable.push(waiting);
      }
    }
    for (const { start } of startable) start();
  }

  #mustWait(range: SectorRange, isEdge: boolean): boolean {
    for (const edge of this.#edges) if (overlap(range, edge)) return true;
    for (const other of this.#waiting) {
      if ((isEdge || other.isEdge) && overlap(range, other.range)) return true;
    }
    if (isEdge) for (const change of this.#changes) if (overlap(range, change)) return true;
    return false;
  }
}

function overlap(a: SectorRange, b: SectorRange): boolean {
  return a.sector < b.sector + b.sectors && b.sector < a.sector + a.sectors;
}
