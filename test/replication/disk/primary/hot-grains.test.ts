// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { HotGrains } from '../../../../src/replication/disk/primary/hot-grains.js';

t.test('the grains that were written last are hot, as many as there may be', async (t) => {
  const hot = new HotGrains(3);
  for (const grain of [1, 2, 3]) hot.touch(grain);
  t.ok(hot.has(1));
  hot.touch(1);
  hot.touch(4);
  t.same(
    [1, 2, 3, 4].map((grain) => hot.has(grain)),
    [true, false, true, true],
    'the one whose last write is the oldest leaves',
  );
  hot.clear();
  t.same(
    [1, 2, 3, 4].map((grain) => hot.has(grain)),
    [false, false, false, false],
  );
});

t.test('with a limit of 0 none is', async (t) => {
  const hot = new HotGrains(0);
  hot.touch(1);
  t.notOk(hot.has(1));
});

t.test('a stream of writes has bits set ahead, twice as far each time, up to 64', async (t) => {
  const hot = new HotGrains(10);
  t.equal(hot.ahead(5, 5), 0);
  let next = 6;
  const seen: number[] = [];
  for (let count = 0; count < 9; count++) {
    const ahead = hot.ahead(next, next + 1);
    seen.push(ahead);
    next += 2 + ahead;
  }
  t.same(seen, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
});

t.test('a write elsewhere ends the stream', async (t) => {
  const hot = new HotGrains(10);
  hot.ahead(5, 5);
  t.equal(hot.ahead(6, 6), 1);
  t.equal(hot.ahead(7, 7), 0, 'its bit was set ahead: it does not go on where that ended');
  t.equal(hot.ahead(8, 8), 1);
  t.equal(hot.ahead(3, 3), 0);
  t.equal(hot.ahead(0, 0), 0);
});

t.test('the first write begins no stream, wherever it is', async (t) => {
  t.equal(new HotGrains(10).ahead(0, 0), 0);
});
