// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { stepEnds } from '../../src/conformance/step-ends.js';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';
import type { Vector } from '../../src/conformance/vector.js';

/** Every so many of the package's vectors. */
const STRIDE = 25;

const right: Vector = {
  suite: 'scheduler',
  name: 'three',
  clock: 1000,
  events: { a: { mode: ['READ'], fd: 5, timeout: 0 } },
  steps: [
    ['register', 'a'],
    ['elapse', 1],
    ['wait', { read: [5] }],
    ['setMaxTimeout', 5],
  ],
  trace: [
    ['register', 'a', 1],
    ['select', { nfds: 6, read: [5], write: [], except: [], timeout: 0 }],
    ['fire', 'a', 1, 'READ'],
    ['wait', 1],
  ],
};

t.test(
  'each step ends where its last entry is; one that leaves none ends where the one before does',
  async (t) => {
    t.strictSame(await stepEnds(right), [0, 1, 1, 4, 4]);
  },
);

t.test('an implementation ends the run where the trace is not the package’s own', async (t) => {
  const trace = [...(right.trace ?? []).slice(0, 2), ['wait', 1] as const];
  t.strictSame(await stepEnds({ ...right, trace }), [0, 1, 1]);
});

t.test('a script without a trace ends where its first entry would be', async (t) => {
  const { trace: _trace, ...script } = right;
  t.strictSame(await stepEnds(script), [0]);
});

t.test("the steps of this package's vectors divide their traces, of all suites", async (t) => {
  const suites = new Set<string>();
  const all = selectVectors(ownVectorFiles());
  for (let index = 0; index < all.length; index += STRIDE) {
    const item = all[index]?.item;
    if (item?.kind !== 'vector') continue;
    const { name, trace = [], steps, suite } = item.vector;
    suites.add(suite);
    const ends = await stepEnds(item.vector);
    const isSorted = ends.every((end, step) => step === 0 || end >= (ends[step - 1] ?? 0));
    // Where the C died there is one entry that nothing else leaves.
    const last = trace.at(-1)?.[0] === 'panic' ? undefined : trace.length;
    const isWhole = last === undefined || (ends.length === steps.length + 1 && ends.at(-1) === last);
    if (!isSorted || !isWhole) t.fail(name, { ends, last });
  }
  t.strictSame([...suites].toSorted(), [
    'async-io',
    'ramdisk',
    'ramdisk-guarded',
    'replication',
    'scheduler',
  ]);
});
