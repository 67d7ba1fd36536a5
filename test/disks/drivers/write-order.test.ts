// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { WriteOrder } from '../../../src/disks/drivers/write-order.js';

t.test('changes of the same sectors keep their order, others pass', async (t) => {
  const order = new WriteOrder();
  const started: string[] = [];
  const begin = (sector: number, sectors: number) => {
    const range = { sector, sectors };
    order.begin(range, () => started.push(`${sector}+${sectors}`));
    return range;
  };
  const first = begin(10, 10);
  const second = begin(19, 2);
  begin(20, 1);
  begin(5, 5);
  begin(9, 1);
  begin(21, 4);
  t.same(started, ['10+10', '5+5', '21+4'], 'one that waits holds up those after it');
  t.same(
    [...order.underWay],
    [
      { sector: 10, sectors: 10 },
      { sector: 5, sectors: 5 },
      { sector: 21, sectors: 4 },
    ],
  );
  order.end(first);
  t.same(started.slice(3), ['19+2']);
  order.end(second);
  t.same(started.slice(4), ['20+1']);
});
