// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { GivenUpRanges } from '../../../src/disks/drivers/given-up-ranges.js';

t.test('pieces that are given up become a hole once they are worth one together', async (t) => {
  const ranges = new GivenUpRanges(100);
  t.equal(ranges.add({ sector: 0, sectors: 99 }), undefined);
  t.same(ranges.add({ sector: 99, sectors: 1 }), { sector: 0, sectors: 100 });
  t.equal(ranges.add({ sector: 100, sectors: 1 }), undefined, 'what has become a hole is not remembered');
  t.same(ranges.add({ sector: 500, sectors: 100 }), { sector: 500, sectors: 100 });
  t.equal(ranges.add({ sector: 1000, sectors: 40 }), undefined);
  t.equal(ranges.add({ sector: 1081, sectors: 40 }), undefined, 'a sector is missing between them');
  t.same(ranges.add({ sector: 1030, sectors: 60 }), { sector: 1000, sectors: 121 }, 'they may overlap');
});

t.test('what is written again is not given up any more', async (t) => {
  const ranges = new GivenUpRanges(100);
  const given = (): void => {
    ranges.add({ sector: 200, sectors: 60 });
  };
  for (const [sector, sectors, isForgotten] of [
    [199, 1, false],
    [260, 1, false],
    [199, 2, true],
    [259, 1, true],
    [220, 1, true],
    [0, 1000, true],
  ] as const) {
    given();
    ranges.forget({ sector, sectors });
    const joined = ranges.add({ sector: 260, sectors: 40 });
    t.equal(joined === undefined, isForgotten, `${sectors} at ${sector}`);
    ranges.forget({ sector: 0, sectors: 1000 });
  }
});

t.test('of too many pieces the oldest is forgotten', async (t) => {
  const ranges = new GivenUpRanges(100);
  for (let index = 0; index < 64; index++) ranges.add({ sector: index * 1000, sectors: 60 });
  t.same(ranges.add({ sector: 60, sectors: 40 }), { sector: 0, sectors: 100 }, '64 are remembered');
  for (let index = 0; index < 2; index++) ranges.add({ sector: 100_000 + index * 1000, sectors: 60 });
  t.equal(ranges.add({ sector: 1060, sectors: 40 }), undefined, 'the oldest of 65 is not');
  t.same(ranges.add({ sector: 3060, sectors: 40 }), { sector: 3000, sectors: 100 });
});
