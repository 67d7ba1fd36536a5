// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { conforms, tallyLine, tallyOf, type VectorResult } from '../../src/conformance/vector-result.js';

const result = (outcome: VectorResult['outcome'], here?: 'dies' | 'goes on'): VectorResult => ({
  file: 'a.json',
  name: 'scheduler/a',
  outcome,
  milliseconds: 0,
  ...(here && { bug: { name: 'B1', here } }),
});

t.test('results are counted by outcome, and by what happens where the C dies', async (t) => {
  t.same(tallyOf([]), { passed: 0, failed: 0, skipped: 0 });
  t.same(tallyOf([result('passed'), result('failed'), result('failed'), result('skipped')]), {
    passed: 1,
    failed: 2,
    skipped: 1,
  });
  const bugs = [result('passed', 'goes on'), result('passed', 'dies'), result('passed', 'dies')];
  t.same(tallyOf(bugs), { passed: 3, failed: 0, skipped: 0, goneOn: 1, died: 2 });
});

t.test('a tally in words has what there is', async (t) => {
  t.equal(tallyLine({ passed: 0, failed: 0, skipped: 0 }), '0 passed, 0 failed');
  t.equal(
    tallyLine({ passed: 3, failed: 1, skipped: 1, goneOn: 1, died: 1 }),
    '3 passed, 1 failed, 1 skipped; 1 passed by going on where the C panics; 1 passed by ending where the C panics',
  );
});

t.test('an implementation conforms if something passed and nothing failed', async (t) => {
  t.ok(conforms({ passed: 1, failed: 0, skipped: 5 }));
  t.notOk(conforms({ passed: 0, failed: 0, skipped: 5 }));
  t.notOk(conforms({ passed: 5, failed: 1, skipped: 0 }));
});
