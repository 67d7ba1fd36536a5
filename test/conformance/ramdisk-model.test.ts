// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Random } from '../../src/testing/random.js';
import { randomSeed } from '../random.js';
import { checkRamdisk, randomRamdiskVector } from './ramdisk-programs.js';

t.test('on random scripts the ramdisk and the naive model give equal traces', async (t) => {
  t.equal(checkRamdisk({ seed: randomSeed(t), runs: 2000 }), undefined);
});

t.test('the random scripts exercise every rule', async (t) => {
  const random = new Random(1);
  const entries = Array.from({ length: 500 }, () => randomRamdiskVector(random))
    .filter(({ suite }) => suite === 'ramdisk-guarded')
    .flatMap(({ trace }) => trace ?? [])
    .map((entry) => JSON.stringify(entry));
  for (const [what, pattern] of [
    ['a run waits', /^\["log","DEBUG"\]/],
    ['several sectors are written at once', /^\["write",\d+,\d+,\[\d+,\d+,\d+/],
    ['a read finds all', /^\["return","read",\[\d/],
    ['a read does not', /^\["return","read",-1/],
    ['something pends', /"prev":\[\d/],
    ['a disk fails', /^\["exit"/],
    ['a ramdisk is destroyed', /"primary":null/],
  ] as const) {
    t.ok(
      entries.some((entry) => pattern.test(entry)),
      what,
    );
  }
});
