// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { conformancePage } from '../../../src/conformance/page/conformance-page.js';
import {
  type Implementation,
  inProcess,
  ownScheduler,
  ScriptUnsupported,
} from '../../../src/conformance/implementation.js';
import { type Assignment, runVectors } from '../../../src/conformance/suite-run.js';
import type { Rule } from '../../../src/conformance/rules.js';
import type { Trace, TraceEntry, Vector } from '../../../src/conformance/vector.js';
import { assignmentOf, killVector, twoReaders } from '../example-vectors.js';

/** What would run in a page, if it came to be markup. */
export const hostile = '"><img src=x onerror=alert(1)><script>alert(1)</script>';

const script = {
  suite: 'scheduler',
  about: `About ${hostile}`,
  clock: 1000,
  events: twoReaders,
  steps: [
    ['register', 'a'],
    ['register', 'b'],
    ['wait', { read: [5, 6] }],
    ['wait', {}],
  ],
} as const;

const trace: Trace = [
  ['register', 'a', 1],
  ['register', 'b', 2],
  ['select', { nfds: 7, read: [5, 6], write: [], except: [], timeout: 0 }],
  ['fire', 'a', 1, 'READ'],
  ['fire', 'b', 2, 'READ'],
  ['wait', 2],
  ['select', { nfds: 7, read: [5, 6], write: [], except: [], timeout: 600 }],
  ['wait', 0],
];

const named = (name: string): Vector => ({ ...script, name, trace });
const vectors = [
  named('kept'),
  named('broken'),
  named('slept'),
  named('silent'),
  named(`named-${hostile}\u202E`),
  { ...killVector, name: 'elsewhere' },
];
const assignments: Assignment[] = [
  ...vectors.map((vector) => assignmentOf(vector, `/vectors/${hostile}.json`)),
  {
    file: '/vectors/none.json',
    item: { kind: 'fault', fault: { file: '/vectors/none.json', message: 'it is not JSON' } },
  },
];

export const rules: readonly Rule[] = [
  { id: 'E1', title: 'Kept by both', suite: 'scheduler', vectors: ['kept'] },
  { id: 'E2', title: `Broken by one ${hostile}`, suite: 'scheduler', vectors: ['broken'] },
  { id: 'E3', title: 'Without a vector', suite: 'scheduler', vectors: ['of another run'] },
  { id: 'R1', title: 'Not run by one', suite: 'replication', vectors: ['elsewhere'] },
];

const own = inProcess(ownScheduler);

/** Passes one vector, skips one, and fails the rest in as many ways. */
const spoiling: Implementation = {
  async run(vector) {
    if (vector.suite !== 'scheduler') throw new ScriptUnsupported('only the scheduler');
    const whole = await own.run(vector);
    const replaced = (index: number, entry: TraceEntry): Trace => whole.toSpliced(index, 1, entry);
    switch (vector.name) {
      case 'kept':
        return whole;
      case 'broken':
        return replaced(3, ['fire', 'a', 1, 'WRITE']);
      case 'slept':
        return replaced(6, ['select', { nfds: 7, read: [5, 6], write: [], except: [], timeout: 17 }]);
      case 'silent':
        throw new Error('it ended with status 3\nits last words');
      default:
        return replaced(0, ['log', hostile] as unknown as TraceEntry);
    }
  },
};

/** A page on this package's implementation and one that fails in many ways, with markup wherever text comes from outside. */
export async function examplePage(options: { readonly shownFailures?: number } = {}) {
  const results = await runVectors(assignments, spoiling);
  const columns = [
    { name: 'tapdisk-ts', results: await runVectors(assignments.slice(0, vectors.length), own) },
    { name: `node ${hostile}`, results },
  ];
  const parts = { columns, assignments, rules, atSeconds: 1_764_126_000, version: '0.1.0', ...options };
  const failed = results.filter(({ outcome }) => outcome === 'failed').length;
  return { page: await conformancePage(parts), failed };
}
