// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { SectorRange } from '../index.js';

/** How many ranges are remembered; of more, the oldest are forgotten, which costs disk space at most. */
const MAX_RANGES = 64;

/**
 * Ranges that were discarded or zeroed in pieces too small for a hole, and not written since: what touches them is joined
 * with them before it is judged, so that many small pieces become a hole as one large one does.
 */
export class GivenUpRanges {
  readonly #worthSectors: number;
  /** None touches another. */
  #ranges: SectorRange[] = [];

  /** @param worthSectors a range of this many sectors is worth a hole */
  constructor(worthSectors: number) {
    this.#worthSectors = worthSectors;
  }

  /** Adds a range. @returns the hole that is to be made, no part of which is remembered then, or undefined */
  add(range: SectorRange): SectorRange | undefined {
    let { sector } = range;
    let end = sector + range.sectors;
    const apart: SectorRange[] = [];
    for (const other of this.#ranges) {
      if (other.sector > end || sector > other.sector + other.sectors) apart.push(other);
      else {
        sector = Math.min(sector, other.sector);
        end = Math.max(end, other.sector + other.sectors);
      }
    }
    const joined = { sector, sectors: end - sector };
    if (joined.sectors < this.#worthSectors) {
      apart.push(joined);
      if (apart.length > MAX_RANGES) apart.shift();
    }
    this.#ranges = apart;
    return joined.sectors < this.#worthSectors ? undefined : joined;
  }

  /** A range is to be written: what was given up of it has content again. */
  forget({ sector, sectors }: SectorRange): void {
    if (this.#ranges.length === 0) return;
    this.#ranges = this.#ranges.filter(
      (other) => other.sector >= sector + sectors || sector >= other.sector + other.sectors,
    );
  }
}
