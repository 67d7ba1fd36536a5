// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BitSet } from '../bit-set.js';
import { Fields } from '../format/fields.js';
import { numbersBody, ProtocolError } from '../wire/frame.js';

/** How many ranges a frame has at most. */
const MAX_RANGES = 4096;
const RANGE_BYTES = 16;

/** A dirty map as the bodies of map frames: ranges of grains, and an empty body at the end. */
export function* mapBodies(grains: Iterable<number>): Generator<Uint8Array, void, undefined> {
  let ranges: number[] = [];
  let first = -1;
  let next = -1;
  for (const grain of grains) {
    if (grain !== next) {
      if (first >= 0) ranges.push(first, next - first);
      first = grain;
      if (ranges.length === MAX_RANGES * 2) {
        yield numbersBody(...ranges);
        ranges = [];
      }
    }
    next = grain + 1;
  }
  if (first >= 0) ranges.push(first, next - first);
  if (ranges.length > 0) yield numbersBody(...ranges);
  yield new Uint8Array(0);
}

/**
 * Takes a map in, frame by frame. Its ranges have to ascend, so that no map is longer than the disk has grains, whatever the
 * peer sends.
 */
export class MapReader {
  readonly grains: BitSet;
  #next = 0;

  /** @param grains an empty set of as many as the disk has */
  constructor(grains: BitSet) {
    this.grains = grains;
  }

  /** @throws ProtocolError for grains that the disk does not have, that came before, or too many ranges */
  take(body: Uint8Array): void {
    const { size } = this.grains;
    if (body.length % RANGE_BYTES !== 0) throw new ProtocolError('a map has half a range');
    if (body.length > MAX_RANGES * RANGE_BYTES) {
      throw new ProtocolError(`a map frame has more than ${MAX_RANGES} ranges`);
    }
    const fields = new Fields(body);
    for (let at = 0; at < body.length; at += RANGE_BYTES) {
      const first = fields.getU64();
      const count = fields.getU64();
      if (count === 0 || first + count > size) {
        throw new ProtocolError(`${count} grains at ${first} are not within ${size}`);
      }
      if (first < this.#next) throw new ProtocolError(`grain ${first} comes after ${this.#next - 1}`);
      this.#next = first + count;
      this.grains.addRange(first, this.#next - 1);
    }
  }
}
