// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { gather } from '../../../src/replication/disk/gather.js';
import type { Done } from '../../../src/replication/disk/local-disk.js';

/** What an operation of so many parts completed with, and how to end its parts. */
function gathered(count: number) {
  const results: number[] = [];
  const parts: Done[] = [];
  gather(
    (result) => results.push(result),
    (part) => {
      for (let made = 0; made < count; made++) parts.push(part());
    },
  );
  return { results, parts };
}

t.test('it completes once, when the last part has ended', async (t) => {
  const { results, parts } = gathered(3);
  parts[2]?.(0);
  parts[0]?.(5);
  t.same(results, []);
  parts[1]?.(0);
  t.same(results, [0]);
});

t.test('an operation of no parts completes at once', async (t) => {
  t.same(gathered(0).results, [0]);
});

t.test('parts may end before all have begun', async (t) => {
  const results: number[] = [];
  gather(
    (result) => results.push(result),
    (part) => {
      part()(0);
      t.same(results, []);
      part()(-5);
      t.same(results, [], 'others may follow');
    },
  );
  t.same(results, [-5]);
});

t.test('the error of the last part that failed is the result', async (t) => {
  const { results, parts } = gathered(4);
  for (const [index, result] of [0, -1, -2, 0].entries()) parts[index]?.(result);
  t.same(results, [-2]);
});
