// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Done, SECTOR_SIZE, type SectorRange } from '../../driver.js';
import { ABSENT, type Layer, nothingFound } from './layer.js';

/**
 * Called with neighbouring parts of a range, in order: which layer has the sectors and where in its file, in bytes; or
 * that none has them, so that they are zeroes.
 */
export type VisitExtent = (
  layer: Layer | undefined,
  position: number,
  sector: number,
  sectors: number,
) => void;

/**
 * Finds out for a range, from the leaf to the root of a chain, which image has which of its sectors (V42, V47). Bitmaps
 * that are not in memory are read on the way. Completes with 0, or the errno of reading a bitmap.
 */
export function mapRange(layers: readonly Layer[], range: SectorRange, visit: VisitExtent, done: Done): void {
  const end = range.sector + range.sectors;
  const found = nothingFound();
  const joined = new JoinedExtents(visit);
  let at = range.sector;
  const mapOn = (): void => {
    while (at < end) {
      let sectors = end - at;
      let owner: Layer | undefined;
      for (const layer of layers) {
        // Beyond an image's end there is nothing, whatever images below it have there (V43).
        if (at >= layer.sectors) break;
        layer.find(at, sectors, found);
        if (found.missingBitmap !== undefined) {
          layer.load(found.missingBitmap, (result) => (result < 0 ? done(result) : mapOn()));
          return;
        }
        sectors = found.sectors;
        if (found.position !== ABSENT) {
          owner = layer;
          break;
        }
      }
      joined.add(owner, found.position, at, sectors);
      at += sectors;
    }
    joined.end();
    done(0);
  };
  mapOn();
}

/** Joins neighbours that are neighbours in the same file too. */
class JoinedExtents {
  readonly #visit: VisitExtent;
  #layer: Layer | undefined;
  #position = ABSENT;
  #sector = 0;
  #sectors = 0;

  constructor(visit: VisitExtent) {
    this.#visit = visit;
  }

  add(layer: Layer | undefined, position: number, sector: number, sectors: number): void {
    const isNext =
      layer === this.#layer && (!layer || position === this.#position + this.#sectors * SECTOR_SIZE);
    if (this.#sectors > 0 && isNext) {
      this.#sectors += sectors;
      return;
    }
    this.end();
    this.#layer = layer;
    this.#position = position;
    this.#sector = sector;
    this.#sectors = sectors;
  }

  end(): void {
    if (this.#sectors > 0) this.#visit(this.#layer, this.#position, this.#sector, this.#sectors);
  }
}
