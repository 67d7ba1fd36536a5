// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done, SectorRange } from '../../driver.js';
import { AllDone } from './all-done.js';
import type { Piece } from './block-writer.js';

/** How many pieces of one change are under way at once. */
const MAX_PIECES_AT_ONCE = 16;

/**
 * Splits a range at the boundaries of blocks, and has each piece dealt with on its own (V49). Completes with the first
 * error when all have ended; the pieces after one that failed are not begun any more.
 *
 * @param each `offset`: where the piece begins in the range, in sectors
 */
export function eachPiece(
  range: SectorRange,
  perBlock: number,
  each: (piece: Piece, offset: number, done: Done) => void,
  done: Done,
): void {
  let at = range.sector;
  let end = range.sector + range.sectors;
  let underWay = 0;
  let isBeginning = false;
  let isBegun = false;
  const all = new AllDone(done);
  const whole = all.expect();
  const begin = (): void => {
    // A piece that ends before `each` returns must not begin the next one from inside of it.
    if (isBeginning) return;
    isBeginning = true;
    while (at < end && underWay < MAX_PIECES_AT_ONCE) {
      const block = Math.floor(at / perBlock);
      const from = at - block * perBlock;
      const to = Math.min(perBlock, from + end - at);
      const offset = at - range.sector;
      at += to - from;
      underWay++;
      const ended = all.expect();
      each({ block, from, to }, offset, (result) => {
        underWay--;
        // The rest of a change that has failed would be for nothing.
        if (result < 0) end = at;
        begin();
        ended(result);
      });
    }
    isBeginning = false;
    if (at >= end && !isBegun) {
      isBegun = true;
      whole(0);
    }
  };
  begin();
}
