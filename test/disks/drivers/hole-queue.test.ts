// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { errno } from '../../../src/posix/index.js';
import { HoleQueue } from '../../../src/disks/drivers/hole-punch.js';
import type { Done, SectorRange } from '../../../src/disks/index.js';

/** Holes that wait behind one that is being made: what becomes of them. */
function queued(ranges: readonly (readonly [sector: number, sectors: number])[]) {
  const punched: string[] = [];
  const dones: Done[] = [];
  const results: number[] = [];
  const queue = new HoleQueue(({ sector, sectors }: SectorRange, done) => {
    punched.push(`${sector}+${sectors}`);
    dones.push(done);
  });
  for (const [sector, sectors] of [[9000, 1] as const, ...ranges]) {
    queue.punch({ sector, sectors }, (result) => void results.push(result));
  }
  const end = (result = 0): void => dones.shift()?.(result);
  return { punched, results, end };
}

t.test('waiting holes are merged where they adjoin or overlap', (t) => {
  const { punched, results, end } = queued([
    [0, 8],
    [8, 8],
    [100, 50],
    [110, 10],
    [150, 1],
  ]);
  end();
  end();
  t.strictSame(punched, ['9000+1', '0+16', '100+51']);
  end();
  t.strictSame(results, [0, 0, 0, 0, 0, 0]);
  t.end();
});

t.test('holes that are a sector apart are not merged: the sector between holds data', (t) => {
  const { punched, end } = queued([
    [9, 7],
    [0, 8],
    [17, 1],
  ]);
  for (let made = 0; made < 4; made++) end();
  t.strictSame(punched, ['9000+1', '0+8', '9+7', '17+1']);
  t.end();
});

t.test('after one failure no other is tried, and all waiting callers get the error', (t) => {
  const { punched, results, end } = queued([
    [0, 8],
    [100, 8],
  ]);
  end(-errno.EOPNOTSUPP);
  t.strictSame(punched, ['9000+1']);
  t.strictSame(results, Array(3).fill(-errno.EOPNOTSUPP));
  t.end();
});

t.test('a hole that is asked for when one is made waits for those before it', (t) => {
  const punched: string[] = [];
  const dones: Done[] = [];
  const queue = new HoleQueue(({ sector, sectors }: SectorRange, done) => {
    punched.push(`${sector}+${sectors}`);
    dones.push(done);
  });
  queue.punch({ sector: 0, sectors: 8 }, () => queue.punch({ sector: 200, sectors: 8 }, () => {}));
  queue.punch({ sector: 100, sectors: 8 }, () => {});
  dones.shift()?.(0);
  t.strictSame(punched, ['0+8', '100+8'], 'one at a time');
  dones.shift()?.(0);
  t.strictSame(punched, ['0+8', '100+8', '200+8']);
  t.end();
});
