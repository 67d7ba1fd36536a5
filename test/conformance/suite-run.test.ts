// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import {
  type Implementation,
  ImplementationUnavailable,
  ScriptUnsupported,
} from '../../src/conformance/implementation.js';
import { runVectors } from '../../src/conformance/suite-run.js';
import type { Trace, Vector } from '../../src/conformance/vector.js';
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

t.test('unless asked otherwise, one vector runs at a time', async (t) => {
  let running = 0;
  let most = 0;
  const counting: Implementation = {
    async run() {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return [];
    },
  };
  t.equal((await runVectors(assignments, counting)).length, names.length);
  t.equal(most, 1);
});

t.test('a run with --bail takes no vectors after the first failure', async (t) => {
  const failing: Implementation = { run: async ({ name }) => (name === 'b' ? [['wait', 1]] : []) };
  const results = await runVectors(assignments, failing, { bail: true });
  t.same(
    results.map(({ name, outcome }) => [name, outcome]),
    [
      ['scheduler/a', 'passed'],
      ['scheduler/b', 'failed'],
    ],
  );
});

/** The result of one vector over an implementation. */
const judged = async (run: Implementation['run'], vector = emptyVector('a')) =>
  (await runVectors([assignmentOf(vector)], { run }))[0];

t.test('a result has the file, the name, what it is about and how long it took', async (t) => {
  const began = performance.now();
  const result = await judged(async () => []);
  const elapsed = performance.now() - began;
  t.match(result, {
    file: assignmentOf(emptyVector('a')).file,
    name: 'scheduler/a',
    about: 'A script.',
    outcome: 'passed',
  });
  t.ok(result && result.milliseconds >= 0 && result.milliseconds <= elapsed, `${result?.milliseconds} ms`);
  const { about: _about, ...terse } = emptyVector('b');
  t.notOk('about' in ((await judged(async () => [], terse)) ?? {}));
});

t.test('a trace that differs fails, with the entry, what was expected and what came', async (t) => {
  const vector = {
    ...emptyVector('a'),
    trace: [
      ['wait', 0],
      ['wait', 1],
    ],
  } as const;
  t.match(
    await judged(
      async () => [
        ['wait', 0],
        ['wait', 2],
      ],
      vector,
    ),
    {
      outcome: 'failed',
      reason: 'entry 1: expected ["wait",1], got ["wait",2]',
      traces: {
        expected: vector.trace,
        actual: [
          ['wait', 0],
          ['wait', 2],
        ],
      },
    },
  );
  t.match(await judged(async () => [['wait', 0]], vector), {
    reason: 'entry 1: expected ["wait",1], got the end',
  });
  const long = await judged(async () => [['wait', 0], ['x'.repeat(600)]], vector);
  t.equal(long?.reason?.length, 'entry 1: expected ["wait",1], got '.length + 500, 'an entry is cut');
});

t.test('a script without a trace expects an empty one', async (t) => {
  const { trace: _trace, ...script } = emptyVector('a');
  t.match(await judged(async () => [], script), { outcome: 'passed' });
  t.match(await judged(async () => [['wait', 0]], script), {
    outcome: 'failed',
    reason: 'entry 0: expected the end, got ["wait",0]',
  });
});

t.test(
  'an error of the implementation fails the vector, and what it does not support is skipped',
  async (t) => {
    t.match(await judged(() => Promise.reject(new Error('no answer'))), {
      outcome: 'failed',
      reason: 'no trace: no answer',
    });
    t.match(await judged(() => Promise.reject('a text')), { outcome: 'failed', reason: 'no trace: a text' });
    t.match(await judged(() => Promise.reject(new ScriptUnsupported('it has no ramdisk'))), {
      outcome: 'skipped',
      reason: 'it has no ramdisk',
    });
    await t.rejects(
      judged(() => Promise.reject(new ImplementationUnavailable('there is no such program'))),
      { message: 'there is no such program' },
      'that ends the run',
    );
  },
);

t.test('what is wrong in a file is a failure of its vector, or of the file', async (t) => {
  const never: Implementation = { run: () => Promise.reject(new Error('it was run')) };
  const fault = (vector?: string) =>
    ({
      file: 'f.json',
      item: {
        kind: 'fault',
        fault: { file: 'f.json', ...(vector && { vector }), message: 'clock: expected a number' },
      },
    }) as const;
  t.same(await runVectors([fault(), fault('scheduler/x')], never), [
    {
      file: 'f.json',
      name: 'f.json',
      outcome: 'failed',
      reason: 'bad vector: clock: expected a number',
      milliseconds: 0,
    },
    {
      file: 'f.json',
      name: 'scheduler/x',
      outcome: 'failed',
      reason: 'bad vector: clock: expected a number',
      milliseconds: 0,
    },
  ]);
});

t.test('where the C dies, a port may die there, or go on in any way', async (t) => {
  const vector = {
    ...emptyVector('a'),
    dialect: 'tapdisk3',
    bug: 'B7',
    trace: [['wait', 0], ['wait', 0], ['panic']],
  } as unknown as Vector;
  const after = (...trace: Trace[number][]) =>
    judged(async () => [['wait', 0], ['wait', 0], ...trace], vector as never);
  t.match(await after(['panic']), { outcome: 'passed', bug: { name: 'B7', here: 'dies' } });
  t.match(await after(['wait', 3]), { outcome: 'passed', bug: { name: 'B7', here: 'goes on' } });
  t.match(await after(), { outcome: 'passed', bug: { name: 'B7', here: 'goes on' } });
  t.match(await judged(async () => [['wait', 1], ['panic']], vector as never), { outcome: 'failed' });
  const { bug: _bug, ...nameless } = vector as Vector & { bug: string };
  t.match(await judged(async () => nameless.trace ?? [], nameless as never), {
    bug: { name: 'without a name' },
  });
  t.notOk('bug' in ((await judged(async () => [])) ?? {}), 'elsewhere there is no bug');
});
