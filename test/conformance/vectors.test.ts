// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { inProcess, ownScheduler, referenceScheduler } from '../../src/conformance/implementation.js';
import { runVectors } from '../../src/conformance/suite-run.js';
import { tallyOf } from '../../src/conformance/vector-result.js';
import { ownVectorFiles, selectVectors } from '../../src/conformance/vector-selection.js';

const files = ownVectorFiles();
const VECTORS = 991;

t.test(
  'every vector gives its recorded trace with the scheduler and the connect module that run on sockets',
  async (t) => {
    const results = await runVectors(selectVectors(files), inProcess(ownScheduler));
    t.same(
      results.filter(({ outcome }) => outcome !== 'passed').map(({ name, reason }) => [name, reason]),
      [],
    );
    t.same(tallyOf(results), { passed: VECTORS, failed: 0, skipped: 0 });
  },
);

t.test('every vector gives its recorded trace with the naive reference scheduler', async (t) => {
  const results = await runVectors(selectVectors(files), inProcess(referenceScheduler));
  t.same(tallyOf(results), { passed: VECTORS, failed: 0, skipped: 0 });
});
