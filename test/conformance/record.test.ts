// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { Interest } from '../../src/conformance/interest.js';
import { OutcomeList, outcomeResult } from '../../src/conformance/outcome-list.js';
import { recordVector, scriptsOf, vectorFileText } from '../../src/conformance/record.js';
import { parseVectorFile } from '../../src/conformance/vector-file.js';
import type { Trace, Vector } from '../../src/conformance/vector.js';
import { errno } from '../../src/posix/errno.js';
import { emptyVector, killVector } from './example-vectors.js';

const giving = (trace: Trace) => ({ run: async () => trace });

t.test('a script gets the trace that comes now, in place of any it had', async (t) => {
  const script = { ...emptyVector('a'), trace: [['wait', 5]] } as const;
  t.same(await recordVector(script, giving([['wait', 1]])), { ...script, trace: [['wait', 1]] });
  t.same(await recordVector(killVector, giving([])), { ...killVector, trace: [] });
});

t.test('the name of a bug stays where the trace ends in a death, and only there', async (t) => {
  const script = { ...emptyVector('a'), dialect: 'tapdisk3', bug: 'B1' } as unknown as Vector;
  const death: Trace = [['wait', 0], ['wait', 0], ['panic']];
  t.same(await recordVector(script, giving(death)), { ...script, trace: death });
  for (const trace of [[], [['panic'], ['wait', 0]]] as const) {
    const alive = await recordVector(script, giving(trace));
    t.notOk('bug' in alive);
    t.same(alive.trace, trace);
  }
});

t.test('a file has a vector a line, and is read as it was written', async (t) => {
  const vectors = [emptyVector('a'), emptyVector('b')];
  const text = vectorFileText(vectors);
  t.equal(text.split('\n').length, 5);
  t.match(text, /^\[\n\{.*\},\n\{.*\}\n\]\n$/);
  t.same(scriptsOf(parseVectorFile('f.json', text)), { scripts: vectors, faults: [] });
});

t.test('what is wrong in a file is named by file, vector and member', async (t) => {
  const text = JSON.stringify([emptyVector('a'), { ...emptyVector('b'), clock: 'x' }, 7]);
  const { scripts, faults } = scriptsOf(parseVectorFile('f.json', text));
  t.same(scripts, [emptyVector('a')]);
  t.equal(faults.length, 2);
  t.match(faults[0], /^f\.json: scheduler\/b: clock: expected /);
  t.match(faults[1], /^f\.json: vector 2: /);
  t.match(scriptsOf(parseVectorFile('f.json', '{')).faults, [/^f\.json: not JSON: /]);
});

t.test('outcomes come in their order, and none after the last', async (t) => {
  const list = new OutcomeList(['a', 'b']);
  t.same([list.take(), list.take(), list.take(), list.take()], ['a', 'b', undefined, undefined]);
  t.equal(new OutcomeList(undefined).take(), undefined);
  t.equal(outcomeResult('ECONNREFUSED'), -errno.ECONNREFUSED);
  t.equal(outcomeResult(0), 0);
  t.equal(outcomeResult(0, 7), 7);
  t.equal(outcomeResult(undefined, 7), 7);
});

t.test('interest is in the conditions that were set last, until there are none', async (t) => {
  const interest = new Interest();
  t.equal(interest.conditions(3), 0);
  t.equal(interest.highest(2), 2);
  interest.set(9, 1);
  interest.set(3, 1 | 2);
  interest.set(5, 2);
  t.same(interest.descriptors(1), [3, 9]);
  t.same(interest.descriptors(2), [3, 5]);
  t.equal(interest.highest(2), 9);
  t.equal(interest.highest(10), 10);
  interest.set(9, 0);
  t.same(interest.descriptors(1), [3]);
  t.equal(interest.highest(2), 5);
  interest.clear();
  t.same(interest.descriptors(2), []);
});
