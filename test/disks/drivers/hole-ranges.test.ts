// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { HoleRanges, MAX_HOLES, MAX_TOLD_EXTENTS } from '../../../src/disks/drivers/hole-ranges.js';

/** So many holes of one sector, two sectors apart. */
function* holes(count: number): Generator<{ start: number; end: number }> {
  for (let index = 0; index < count; index++) yield { start: index * 2, end: index * 2 + 1 };
}

function kinds(ranges: HoleRanges, sector: number, sectors: number): string {
  return ranges
    .extents({ sector, sectors })
    .map(({ zero, allocated, sectors: count }) => {
      t.equal(allocated, !zero);
      return `${zero ? 'hole' : 'data'} ${count}`;
    })
    .join(', ');
}

t.test('no more holes are kept than the bound, and what is not kept is data', async (t) => {
  t.equal(MAX_HOLES, 131_072);
  const last = MAX_HOLES * 2;
  const ranges = new HoleRanges(holes(MAX_HOLES + 1));
  t.equal(kinds(ranges, last - 2, 4), 'hole 1, data 3', 'the one after the last');
  ranges.add({ sector: last + 10, sectors: 1 });
  t.equal(kinds(ranges, last + 10, 1), 'data 1', 'there is no room for another');
  ranges.add({ sector: last - 1, sectors: 1 });
  t.equal(
    kinds(ranges, last - 2, 4),
    'hole 2, data 2',
    'but one that touches one of them becomes a part of it',
  );
  ranges.add({ sector: 1, sectors: 1 });
  t.equal(kinds(ranges, 0, 4), 'hole 3, data 1', 'or joins two');
  ranges.add({ sector: last + 10, sectors: 1 });
  t.equal(kinds(ranges, last + 10, 1), 'hole 1', 'which makes room');
});

t.test('a hole that would be cut into one too many keeps its first part', async (t) => {
  const ranges = new HoleRanges(holes(MAX_HOLES - 1));
  ranges.add({ sector: 1_000_000, sectors: 10 });
  ranges.remove({ sector: 1_000_004, sectors: 2 });
  t.equal(kinds(ranges, 1_000_000, 10), 'hole 4, data 6');
  const roomy = new HoleRanges(holes(MAX_HOLES - 2));
  roomy.add({ sector: 1_000_000, sectors: 10 });
  roomy.remove({ sector: 1_000_004, sectors: 2 });
  t.equal(kinds(roomy, 1_000_000, 10), 'hole 4, data 2, hole 4');
});

t.test('a long list of extents is given in parts', async (t) => {
  t.equal(MAX_TOLD_EXTENTS, 1024);
  const ranges = new HoleRanges(holes(2000));
  const found = ranges.extents({ sector: 0, sectors: 4000 });
  t.ok(found.length >= 1024 && found.length <= 1025, `${found.length}`);
  t.ok(found.every(({ sectors }) => sectors === 1));
});

t.test('holes that touch become one, and those that are a sector apart do not', async (t) => {
  const ranges = new HoleRanges([]);
  ranges.add({ sector: 10, sectors: 5 });
  ranges.add({ sector: 15, sectors: 5 });
  ranges.add({ sector: 5, sectors: 5 });
  t.equal(kinds(ranges, 0, 30), 'data 5, hole 15, data 10');
  ranges.add({ sector: 21, sectors: 1 });
  t.equal(kinds(ranges, 0, 30), 'data 5, hole 15, data 1, hole 1, data 8');
  ranges.remove({ sector: 20, sectors: 1 });
  ranges.remove({ sector: 0, sectors: 5 });
  t.equal(kinds(ranges, 0, 30), 'data 5, hole 15, data 1, hole 1, data 8', 'what was no hole stays none');
  ranges.remove({ sector: 5, sectors: 1 });
  ranges.remove({ sector: 19, sectors: 3 });
  t.equal(kinds(ranges, 0, 30), 'data 6, hole 13, data 11');
  t.equal(kinds(ranges, 6, 13), 'hole 13');
  t.equal(kinds(ranges, 19, 1), 'data 1');
});
