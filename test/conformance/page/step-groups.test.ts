// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { partedSteps, type StepGroup } from '../../../src/conformance/page/step-groups.js';
import type { TraceEntry } from '../../../src/conformance/vector.js';

const entry = (id: number): TraceEntry => ['unregister', id];
const trace = (...ids: number[]): TraceEntry[] => ids.map(entry);
/** A group as `step: kind kind`. */
const shown = ({ step, rows }: StepGroup): string =>
  `${step}: ${rows.map(({ kind, expected, actual }) => `${kind} ${expected?.index}/${actual?.index}`).join(', ')}`;

t.test('traces are split at the step of their first difference', async (t) => {
  const traces = { expected: trace(1, 2, 3, 4, 5, 6), actual: trace(1, 2, 3, 44, 5, 6) };
  const { before, first, after } = partedSteps(traces, [0, 2, 2, 5, 6], 4);
  t.strictSame(before.map(shown), ['1: same 0/0, same 1/1', '2: ']);
  t.equal(shown(first), '3: same 2/2, differs 3/3, same 4/4');
  t.strictSame(after.map(shown), ['4: same 5/5']);
});

t.test('traces without a difference have nothing in their first group', async (t) => {
  const { before, first, after } = partedSteps({ expected: trace(1, 2), actual: trace(1, 2) }, [1, 2], 1);
  t.strictSame([before, shown(first), after.map(shown)], [[], '0: ', ['0: same 0/0', '1: same 1/1']]);
});

t.test('entries before the first step form their own group', async (t) => {
  const traces = { expected: trace(1, 2), actual: trace(9, 2) };
  const { before, first, after } = partedSteps(traces, [1, 2], 1);
  t.strictSame(before, []);
  t.equal(shown(first), '0: differs 0/0');
  t.strictSame(after.map(shown), ['1: same 1/1']);
});

t.test(
  'an entry that is missing and one that is not expected stand alone, in the step that they are in',
  async (t) => {
    const ends = [0, 2, 4];
    const missing = partedSteps({ expected: trace(1, 2, 3, 4), actual: trace(1, 3, 4) }, ends, 2);
    t.equal(shown(missing.first), '1: same 0/0, missing 1/undefined');
    t.strictSame(missing.after.map(shown), ['2: same 2/1, same 3/2']);
    const more = partedSteps({ expected: trace(1, 2, 3, 4), actual: trace(1, 2, 7, 3, 4) }, ends, 2);
    t.equal(shown(more.first), '1: same 0/0, same 1/1, unexpected undefined/2');
  },
);

t.test('entries after the last known step form one group', async (t) => {
  const { first, after } = partedSteps({ expected: trace(1, 2, 3), actual: trace(1, 2) }, [0, 1], 3);
  t.equal(shown(first), '2: same 1/1, missing 2/undefined');
  t.strictSame(after, []);
  const none = partedSteps({ expected: trace(1), actual: [] }, [], 3);
  t.equal(shown(none.first), '0: missing 0/undefined');
});

t.test('an entry that is not expected before all others stands before the first step', async (t) => {
  const { before, first, after } = partedSteps({ expected: trace(1, 2), actual: trace(9, 1, 2) }, [0, 2], 1);
  t.strictSame(before, []);
  t.equal(shown(first), '0: unexpected undefined/0');
  t.strictSame(after.map(shown), ['1: same 0/1, same 1/2']);
});

t.test('the first step has a group even if it leaves no entry', async (t) => {
  const { before, first } = partedSteps({ expected: trace(1), actual: trace(2) }, [0, 0, 1], 2);
  t.strictSame(before.map(shown), ['1: ']);
  t.equal(shown(first), '2: differs 0/0');
});

t.test('what follows the end of the last step belongs to that step', async (t) => {
  const { before, first } = partedSteps({ expected: trace(1, 2, 3), actual: trace(1, 2) }, [0, 1, 2], 2);
  t.strictSame(before.map(shown), ['1: same 0/0']);
  t.equal(shown(first), '2: same 1/1, missing 2/undefined');
});
