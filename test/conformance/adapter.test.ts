// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { programArguments } from '../../scripts/program.js';
import { repositoryFile } from '../../scripts/repository-files.js';
import { Adapter } from '../../src/conformance/adapter.js';
import { runVectors } from '../../src/conformance/suite-run.js';
import { tallyOf, type VectorResult } from '../../src/conformance/vector-result.js';
import { assignmentOf, emptyVector, killVector } from './example-vectors.js';

t.setTimeout(120_000);

const misbehaving = repositoryFile('test/conformance/misbehaving-adapter.mjs');

async function resultsOf(
  names: readonly string[],
  { timeoutSeconds = 10, jobs = 1, program = process.execPath, args = [misbehaving] } = {},
): Promise<VectorResult[]> {
  await using adapter = new Adapter({ program, args, timeoutSeconds });
  const assignments = names.map((name) => assignmentOf(emptyVector(name)));
  return await runVectors(assignments, adapter, { jobs });
}

/** The outcome of a deed, with a well-behaved script after it: that one must pass whatever happened before. */
async function deed(
  t: Test,
  name: string,
  options: { timeoutSeconds?: number } = {},
): Promise<VectorResult | undefined> {
  const [result, next] = await resultsOf([name, 'good'], options);
  t.match(next, { name: 'scheduler/good', outcome: 'passed' }, `the script after ${name} passes`);
  return result;
}

t.test('one process runs script after script', async (t) => {
  t.same(tallyOf(await resultsOf(['good', 'good', 'good'])), { passed: 3, failed: 0, skipped: 0 });
});

t.test('a script gets its defaults, but not its expectations', async (t) => {
  await using adapter = new Adapter({ program: process.execPath, args: [misbehaving], timeoutSeconds: 10 });
  const tapdisk3 = { ...emptyVector('echo'), dialect: 'tapdisk3', bug: 'B1' } as const;
  const scripts = [emptyVector('echo'), tapdisk3, { ...killVector, name: 'echo' }];
  const results = await runVectors(
    scripts.map((script) => assignmentOf(script)),
    adapter,
  );
  const received = results.map(({ reason }): unknown =>
    JSON.parse(reason?.replace('no trace: the adapter says: ', '') ?? ''),
  );
  const { about: _about, fault: _fault, trace: _trace, ...sent } = emptyVector('echo');
  const { trace: _other, ...module } = killVector;
  t.same(received, [
    { uuid: 1, limit: 200, dialect: 'tapdisk2', ...sent },
    { uuid: 1, limit: 200, ...sent, dialect: 'tapdisk3' },
    { uuid: 1, limit: 200, ...module, name: 'echo' },
  ]);
});

t.test('a trace that differs fails with the entry and both traces', async (t) => {
  t.match(await deed(t, 'differs'), {
    outcome: 'failed',
    reason: 'entry 0: expected the end, got ["wait",1]',
    traces: { expected: [], actual: [['wait', 1]] },
  });
});

t.test('whatever an adapter does wrong fails only its vector, with the reason', async (t) => {
  const reasons: [string, RegExp][] = [
    [
      'exits',
      /^no trace: the adapter ended with exit status 3 without a reply; its standard error ends:\nout of cheese$/,
    ],
    ['is-killed', /^no trace: the adapter ended by SIGKILL without a reply$/],
    ['says-garbage', /^no trace: the answer is not JSON: "Segmentation fault"$/],
    ['says-no-object', /^no trace: the answer is no object with an id: \[\]$/],
    ['says-another-id', /^no trace: the answer's id is \d+, the script's is \d+$/],
    ['says-no-trace', /^no trace: the answer has no trace that is an array of arrays: \{"id":\d+\}$/],
    ['says-half-a-trace', /^no trace: the answer has no trace that is an array of arrays: /],
    ['says-error', /^no trace: the adapter says: unknown step$/],
    ['says-error-oddly', /^no trace: the adapter says: \{"code":5\}$/],
    ['never-ends-a-line', /^no trace: an answer of more than 16777216 characters$/],
  ];
  const results = await resultsOf(reasons.flatMap(([name]) => [name, 'good']));
  for (const [index, [name, reason]] of reasons.entries()) {
    t.match(results[2 * index], { outcome: 'failed', reason }, name);
    t.match(results[2 * index + 1], { outcome: 'passed' }, `the script after ${name} passes`);
  }
});

t.test(
  'an adapter that is silent, or lives on at the end of its input, is killed when its time is over',
  async (t) => {
    const stays = resultsOf(['good'], { timeoutSeconds: 3, args: [misbehaving, 'stays'] });
    await Promise.all(
      ['hangs', 'closes-its-output'].map(async (name) => {
        const result = await deed(t, name, { timeoutSeconds: 3 });
        t.match(result, { outcome: 'failed', reason: /^no trace: no answer within 3 s$/ });
      }),
    );
    t.match(await stays, [{ outcome: 'passed' }]);
  },
);

t.test('a byte order mark before an answer is skipped', async (t) => {
  t.match(await deed(t, 'says-it-with-a-byte-order-mark'), { outcome: 'passed' });
});

t.test('a process that prints more than requested is not reused', async (t) => {
  t.match(await deed(t, 'says-too-much'), { outcome: 'passed' });
});

t.test('a process that has refused a script, or failed at it, runs the next one', async (t) => {
  const results = await resultsOf([
    'says-its-number',
    'says-skip',
    'says-its-number',
    'says-error',
    'says-its-number',
  ]);
  const [first, , second, , third] = results.map(({ reason }) => reason);
  t.match(first, /^no trace: the adapter says: process \d+$/);
  t.same([second, third], [first, first]);
});

t.test('the vectors of a suite that an adapter lacks are skipped', async (t) => {
  t.match(await deed(t, 'says-skip'), { outcome: 'skipped', reason: 'not here' });
});

t.test('a program that cannot be started ends the run', async (t) => {
  await t.rejects(resultsOf(['good', 'good'], { program: '/nonexistent/program', args: [] }), {
    name: 'ImplementationUnavailable',
    message: /cannot start \/nonexistent\/program/,
  });
});

t.test('a program that ends at once fails every vector', async (t) => {
  const results = await resultsOf(['good', 'good'], { args: ['-e', 'process.exitCode = 9'] });
  t.match(results, [{ reason: /exit status 9/ }, { reason: /exit status 9/ }]);
});

t.test('results keep the order of the vectors when several processes run', async (t) => {
  const names = ['good', 'exits', 'good', 'differs', 'says-skip', 'good'];
  const results = await resultsOf(names, { jobs: 3 });
  t.same(
    results.map(({ name }) => name),
    names.map((name) => `scheduler/${name}`),
  );
  t.same(tallyOf(results), { passed: 3, failed: 2, skipped: 1 });
});

/** Processes whose arguments have the text in them, once there are none, or after a while: killed ones take their time. */
function processesWith(text: string): string[] {
  let found: string[] = [];
  for (let look = 0; look < 200; look++) {
    const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
    found = stdout.split('\n').filter((line) => line.includes(text));
    if (found.length === 0) break;
  }
  return found;
}

t.test('an adapter that a wrapper starts leaves no process running', async (t) => {
  const mark = `mark-${process.pid}`;
  const command = `"${process.execPath}" "${misbehaving}" stays ${mark}; true`;
  const results = await resultsOf(['good', 'hangs', 'good'], {
    timeoutSeconds: 3,
    program: 'sh',
    args: ['-c', command],
  });
  t.match(results, [{ outcome: 'passed' }, { outcome: 'failed' }, { outcome: 'passed' }]);
  t.strictSame(processesWith(mark), []);
});

t.test('without descriptors for more adapters the rest of the vectors fail, with the reason', async (t) => {
  const directory = t.testdir({
    'vectors.json': JSON.stringify(Array.from({ length: 60 }, (_, index) => emptyVector(`v${index}`))),
  });
  const program = programArguments('src/cli/main.ts')
    .map((argument) => `'${argument}'`)
    .join(' ');
  const script = `ulimit -n 100; exec "${process.execPath}" ${program} conformance --jobs 60 --cmd cat --format tap ${directory}/vectors.json`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  t.equal(status, 1, stderr);
  t.equal(stdout.match(/^not ok /gm)?.length, 60);
  t.match(stdout, /cannot start cat: .*EMFILE/);
});
