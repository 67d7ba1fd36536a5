// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import type { Implementation } from '../../src/conformance/implementation.js';
import { runVectors } from '../../src/conformance/suite-run.js';
import { assignmentOf, emptyVector } from './example-vectors.js';

const names = ['a', 'b', 'c', 'd', 'e'];
const assignments = names.map((name) => assignmentOf(emptyVector(name)));

t.test('each result is reported once, in the order of the vectors, whichever ends first', async (t) => {
  for (const jobs of [1, 3, 9]) {
    const waiting: (() => void)[] = [];
    const latestFirst: Implementation = {
      async run() {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return [];
      },
    };
    const told: string[] = [];
    const run = runVectors(assignments, latestFirst, {
      jobs,
      onResult: ({ name }) => told.push(name.replace('scheduler/', '')),
    });
    while (told.length < names.length) {
      waiting.pop()?.();
      await new Promise(setImmediate);
    }
    t.same(told, names, `${jobs} at a time`);
    t.match(
      await run,
      names.map((name) => ({ name: `scheduler/${name}`, outcome: 'passed' })),
    );
  }
});

t.test('a run with --bail takes no vectors after the first failure', async (t) => {
  const failing: Implementation = { run: async ({ name }) => (name === 'b' ? [['wait', 1]] : []) };
  const results = await runVectors(assignments, failing, { bail: true });
  t.match(results, [
    { name: 'scheduler/a', outcome: 'passed' },
    { name: 'scheduler/b', outcome: 'failed' },
  ]);
});
