// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ABSENT, type BlockLayer, type Layer, nothingFound } from './layer.js';

/**
 * The blocks of an image whose sectors are zeroes in the file, on stable storage too, wherever their bits are clear: those
 * that came into space by which the file was extended, and synced, since it was opened. If no ancestor has such a sector
 * either, it reads as zeroes with its bit and without: the bit may be durable before the data is, and a loss of power
 * between them shows what was there before.
 *
 * A block that was there at opening may have anything under a clear bit, of before a crash; so may one of which a write
 * failed, and the space of a block device.
 */
export class ZeroedBlocks {
  readonly #leaf: BlockLayer;
  readonly #ancestors: readonly Layer[];
  readonly #from: number;
  readonly #spoiled = new Set<number>();

  /** @param from where space begins that the file does not have yet, in sectors */
  constructor(leaf: BlockLayer, ancestors: readonly Layer[], from: number) {
    this.#leaf = leaf;
    this.#ancestors = ancestors;
    this.#from = leaf.file.isRegular ? from : Number.POSITIVE_INFINITY;
  }

  /** Something is under clear bits of a block, from now on. */
  spoil(block: number): void {
    this.#spoiled.add(block);
  }

  /** Whether sectors of a block at `place` are zeroes whose bits are clear, whether these are set or not. False when that is not known at once. */
  covers(block: number, place: number, from: number, to: number): boolean {
    if (place < this.#from || this.#spoiled.has(block)) return false;
    const start = block * this.#leaf.shape.sectors;
    return isAbsent(this.#ancestors, start + from, start + to);
  }
}

function isAbsent(layers: readonly Layer[], from: number, to: number): boolean {
  const found = nothingFound();
  let end = to;
  for (const layer of layers) {
    // Beyond an image's end there is nothing, whatever images below it have there (V43).
    end = Math.min(end, layer.sectors);
    for (let at = from; at < end; at += found.sectors) {
      layer.find(at, end - at, found);
      if (found.missingBitmap !== undefined || found.position !== ABSENT) return false;
    }
  }
  return true;
}
