// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { AllDone } from '../../../../src/disks/drivers/vhd/all-done.js';
import { eachPiece } from '../../../../src/disks/drivers/vhd/pieces.js';
import type { Done } from '../../../../src/disks/index.js';
import { errno } from '../../../../src/posix/errno.js';

/** Splits a range into pieces that end when the test says so. */
function split(sector: number, sectors: number, perBlock: number) {
  const pieces: string[] = [];
  const ends: Done[] = [];
  const results: number[] = [];
  eachPiece(
    { sector, sectors },
    perBlock,
    ({ block, from, to }, offset, done) => {
      pieces.push(`${block}: ${from}-${to} at ${offset}`);
      ends.push(done);
    },
    (result) => results.push(result),
  );
  return { pieces, ends, results };
}

t.test('a range is split where blocks end', async (t) => {
  t.same(split(5, 20, 8).pieces, ['0: 5-8 at 0', '1: 0-8 at 3', '2: 0-8 at 11', '3: 0-1 at 19']);
  t.same(split(8, 8, 8).pieces, ['1: 0-8 at 0']);
  t.same(split(9, 3, 8).pieces, ['1: 1-4 at 0']);
  t.same(split(7, 2, 8).pieces, ['0: 7-8 at 0', '1: 0-1 at 1']);
});

t.test('sixteen pieces are under way at once, and all of them end before the range does', async (t) => {
  const { pieces, ends, results } = split(0, 160, 8);
  t.equal(pieces.length, 16);
  ends[3]?.(0);
  t.equal(pieces.length, 17);
  for (let index = 0; index < 20; index++) if (index !== 3) ends[index]?.(0);
  t.same([pieces.length, results], [20, [0]]);
});

t.test('no piece begins after one that failed, and the first error is the result', async (t) => {
  const { pieces, ends, results } = split(0, 160, 8);
  ends[0]?.(-errno.EIO);
  ends[1]?.(0);
  ends[2]?.(-errno.ENOSPC);
  t.equal(pieces.length, 16);
  for (let index = 3; index < 15; index++) ends[index]?.(0);
  t.same(results, []);
  ends[15]?.(0);
  t.same([pieces.length, results], [16, [-errno.EIO]]);
});

t.test('pieces that end at once are as many as it takes, one after the other', async (t) => {
  let count = 0;
  let depth = 0;
  const results: number[] = [];
  eachPiece(
    { sector: 0, sectors: 100_000 },
    1,
    (_piece, _offset, done) => {
      count++;
      depth++;
      done(0);
      depth--;
      if (depth !== 0) throw new Error('a piece began inside of another');
    },
    (result) => results.push(result),
  );
  t.same([count, results], [100_000, [0]]);
});

t.test('parts complete once, with the first error', async (t) => {
  const results: number[] = [];
  const all = new AllDone((result) => results.push(result));
  const [one, two, three] = [all.expect(), all.expect(), all.expect()];
  two(-errno.EIO);
  one(-errno.ENOSPC);
  t.same(results, []);
  three(5);
  t.same(results, [-errno.EIO]);
});
