// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { failureSection } from '../../../src/conformance/page/failure.js';
import type {
  RamdiskVector,
  SchedulerVector,
  Trace,
  TraceEntry,
  Vector,
} from '../../../src/conformance/vector.js';
import { assignmentOf, emptyVector, twoReaders } from '../example-vectors.js';

/** Two events are registered, one of which fires; the last step leaves no entry. */
const vector: SchedulerVector & { readonly trace: Trace } = {
  ...emptyVector('one'),
  events: twoReaders,
  steps: [
    ['register', 'a'],
    ['register', 'b'],
    ['wait', { read: [5] }],
    ['setMaxTimeout', 5],
  ],
  trace: [
    ['register', 'a', 1],
    ['register', 'b', 2],
    ['select', { nfds: 7, read: [5, 6], write: [], except: [], timeout: 0 }],
    ['fire', 'a', 1, 'READ'],
    ['wait', 1],
  ],
};

/** The section of a vector that failed with this trace, a line for each text in it. */
async function section(
  actual: Trace | undefined,
  rules: readonly string[] = [],
  given: Vector & { readonly trace: Trace } = vector,
  about: string | undefined = 'About it.',
) {
  const result = {
    file: '/f.json',
    name: 'scheduler/one',
    outcome: 'failed',
    milliseconds: 1,
    reason: 'it ended',
    ...(about !== '' && { about }),
    ...(actual && { traces: { expected: given.trace, actual } }),
  } as const;
  const pinned = rules.map((id) => ({ id, title: `Rule ${id}`, suite: 'scheduler' as const, vectors: [] }));
  const { text } = await failureSection('failure-1-1', result, assignmentOf(given), pinned);
  return {
    text,
    lines: text
      .replaceAll(/<pre[^>]*>|<\/?(?:div|p|summary|caption|td|th|tr)\b[^>]*>/g, '\n')
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&#34;', '"')
      .split('\n')
      .map((line) => line.trim().replaceAll(/\s+/g, ' '))
      .filter((line) => line !== ''),
  };
}

const replaced = (index: number, ...entries: TraceEntry[]): Trace =>
  vector.trace.toSpliced(index, 1, ...entries);

t.test('a difference is shown in its step, with what went before and after it folded', async (t) => {
  const { text, lines } = await section(replaced(1, ['register', 'b', 7]));
  t.equal(lines[0], 'failed scheduler/one in step 2 of 4');
  t.ok(lines.includes('About it.'));
  t.ok(lines.includes('Step 1 went as expected'));
  t.ok(lines.includes('The first difference, in step 2 of 4'));
  t.ok(lines.includes('The 2 steps that followed'));
  t.ok(lines.includes('no entries'), 'of the step that leaves none');
  const row = (index: number): string[] => lines.slice(index, index + 3);
  t.same(row(lines.indexOf('1 register "b" 2')), ['1 register "b" 2', '1 register "b" 7', 'differs']);
  t.same(row(lines.indexOf('0 register "a" 1')), ['0 register "a" 1', '0 register "a" 1', 'same']);
  t.match(text, '<code>register &#34;b&#34; <mark>7</mark></code>');
  t.equal(lines.at(-1), 'From /f.json');
});

t.test('an object of an entry has all its members, and what no JSON is has a name', async (t) => {
  const select = { nfds: 7, read: [5, 6], write: [], except: [], timeout: 17 };
  const { lines } = await section(replaced(2, ['select', select]));
  t.ok(lines.includes('2 select {"nfds": 7, "read": [5, 6], "write": [], "except": [], "timeout": 0}'));
  t.ok(lines.includes('2 select {"nfds": 7, "read": [5, 6], "write": [], "except": [], "timeout": 17}'));
  const odd = ['fire', 'a', undefined] as unknown as TraceEntry;
  t.ok((await section(replaced(3, odd))).lines.includes('3 fire "a" undefined'));
});

t.test('an object in the place of something else is marked whole, and so is the other', async (t) => {
  const { text } = await section(replaced(1, ['register', 'b', { id: 2 }]));
  t.match(text, '<code>register &#34;b&#34; <mark>2</mark></code>');
  t.match(text, '<code>register &#34;b&#34; <mark>{&#34;id&#34;: 2}</mark></code>');
});

t.test('a ramdisk is initialized before the first step, which is shown only if it differs', async (t) => {
  const state = (inflight: number) =>
    ['state', { inflight, prev: null, inprogress: null, primary: [], secondary: [] }] as const;
  const ramdisk: RamdiskVector & { readonly trace: Trace } = {
    suite: 'ramdisk',
    name: 'one',
    steps: [['writesInflight']],
    trace: [['return', 'init', 0], state(0), ['return', 'writesInflight', 0], state(0)],
  };
  const { lines: initial } = await section(
    ramdisk.trace.toSpliced(0, 1, ['return', 'init', -1]),
    [],
    ramdisk,
  );
  t.equal(initial[0], 'failed scheduler/one before the first step');
  t.ok(initial.includes('The first difference, before the first step'));
  t.ok(initial.includes('Before the first step'));
  const { lines: step } = await section(ramdisk.trace.toSpliced(3, 1, state(1)), [], ramdisk);
  t.equal(step[0], 'failed scheduler/one in step 1 of 1');
  t.notMatch(step.join('\n'), /as expected|Before the first step/);
});

t.test('what is missing and what is not expected have nothing on the other side', async (t) => {
  const missing = (await section(replaced(3))).lines;
  t.same(missing.slice(missing.indexOf('3 fire "a" 1 "READ"')).slice(0, 3), [
    '3 fire "a" 1 "READ"',
    'nothing',
    'missing',
  ]);
  t.ok(missing.includes('Steps 1 to 2 went as expected'));
  t.ok(missing.includes('The last step'));
  const more = (await section(replaced(4, ['unregister', 9], ['wait', 1]))).lines;
  t.same(more.slice(more.indexOf('4 unregister 9') - 1).slice(0, 3), [
    'nothing',
    '4 unregister 9',
    'not expected',
  ]);
});

t.test(
  'a difference in the first step has nothing before it, and one in the last nothing after it',
  async (t) => {
    const first = (await section(replaced(0, ['register', 'a', 3]))).lines;
    t.equal(first[0], 'failed scheduler/one in step 1 of 4');
    t.notMatch(first.join('\n'), 'as expected');
    t.ok(first.includes('The 3 steps that followed'));
    const steps = vector.steps.slice(0, 3);
    const last = (await section(replaced(4, ['wait', 2]), [], { ...vector, steps })).lines;
    t.equal(last[0], 'failed scheduler/one in step 3 of 3');
    t.notMatch(last.join('\n'), /that followed|The last step/);
  },
);

t.test('a script is shown as an adapter gets it: without what it is about and its trace', async (t) => {
  const { lines } = await section(replaced(0));
  const from = lines.indexOf('The script');
  t.same(lines.slice(from + 1, -1), [
    'suite: "scheduler"',
    'name: "one"',
    'fault: true',
    'clock: 1000',
    `events: ${JSON.stringify(vector.events)}`,
    'steps:',
    ...vector.steps.map((step) => JSON.stringify(step)),
  ]);
});

t.test('what a vector is about is left out where that is not known', async (t) => {
  const { text, lines } = await section(replaced(1, ['register', 'b', 7]), [], vector, '');
  t.equal(lines[1], 'Step 1 went as expected');
  t.notMatch(text, '<p></p>');
});

t.test('without a trace there is the reason, and without rules nothing is pinned', async (t) => {
  const { text, lines } = await section(undefined);
  t.equal(lines[0], 'failed scheduler/one');
  t.ok(lines.includes('it ended'));
  t.notMatch(text, /<table|Pins/);
  t.ok((await section(undefined, ['E1'])).lines.includes('Pins E1 Rule E1.'));
  const { lines: pinned } = await section(undefined, ['E1', 'E2']);
  t.ok(pinned.includes('Pins E1 Rule E1. E2 Rule E2.'));
});
