// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

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

/** Calls `take` for each grain of a map frame. @throws ProtocolError for grains that the disk does not have */
export function readMapBody(body: Uint8Array, grains: number, take: (grain: number) => void): void {
  if (body.length % RANGE_BYTES !== 0) throw new ProtocolError('a map has half a range');
  const fields = new Fields(body);
  for (let at = 0; at < body.length; at += RANGE_BYTES) {
    const first = fields.getU64();
    const count = fields.getU64();
    if (first + count > grains) throw new ProtocolError(`grain ${first + count} is not within ${grains}`);
    for (let grain = first; grain < first + count; grain++) take(grain);
  }
}
