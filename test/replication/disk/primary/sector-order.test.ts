// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { SectorOrder } from '../../../../src/replication/disk/primary/sector-order.js';

const range = (name: string, sector: number, sectors: number) => ({ name, sector, sectors });

function order() {
  const gone: string[] = [];
  return { gone, order: new SectorOrder<ReturnType<typeof range>>(({ name }) => gone.push(name)) };
}

t.test('a ready change starts at once, unless an earlier one of its sectors is waiting', async (t) => {
  const { gone, order: changes } = order();
  const first = range('first', 0, 8);
  changes.add(first, false);
  changes.add(range('beside', 8, 8), true);
  changes.add(range('over', 7, 2), true);
  changes.add(range('over that', 8, 1), true);
  t.same(gone, ['beside']);
  changes.isReady(first);
  t.same(gone, ['beside', 'first', 'over', 'over that']);
});

t.test('a change does not wait for its neighbours', async (t) => {
  const { gone, order: changes } = order();
  changes.add(range('middle', 8, 8), false);
  for (const [name, sector] of [
    ['before', 0],
    ['after', 16],
  ] as const)
    changes.add(range(name, sector, 8), true);
  t.same(gone, ['before', 'after']);
});

t.test('a dropped change blocks nothing', async (t) => {
  const { gone, order: changes } = order();
  const [first, second] = [range('first', 0, 8), range('second', 4, 8)];
  changes.add(first, false);
  changes.add(second, false);
  changes.isReady(second);
  t.same(gone, []);
  changes.drop(first);
  t.same(gone, ['second']);
});
