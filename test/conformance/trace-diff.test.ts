// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { firstDifference } from '../../src/conformance/comparison.js';
import { alignTraces, traceDiff } from '../../src/conformance/trace-diff.js';
import type { Trace } from '../../src/conformance/vector.js';
import { Random } from '../../src/testing/index.js';
import { randomSeed } from '../random.js';

/** A trace of entries with these numbers. */
function traceOf(...numbers: number[]): Trace {
  return numbers.map((number) => ['wait', number] as const);
}

/** The diff's lines without their padding. */
function diff(expected: Trace, actual: Trace, options?: Parameters<typeof traceDiff>[2]): string[] {
  return traceDiff(expected, actual, options).map((line) => line.replaceAll(/ +/g, ' '));
}

t.test('equal traces have no difference and an empty diff', async (t) => {
  t.equal(firstDifference(traceOf(1, 2), traceOf(1, 2)), undefined);
  t.same(diff(traceOf(1, 2), traceOf(1, 2)), []);
});

t.test('insertions and omissions are shown with their position in their own trace', async (t) => {
  t.same(diff(traceOf(1, 2, 3, 4, 5), traceOf(1, 9, 2, 3, 5, 8)), [
    ' 0 ["wait",1]',
    '+ 1 ["wait",9]',
    ' 1 ["wait",2]',
    ' 2 ["wait",3]',
    '- 3 ["wait",4]',
    ' 4 ["wait",5]',
    '+ 5 ["wait",8]',
  ]);
  t.same(diff(traceOf(1, 7, 2), traceOf(1, 2)), [' 0 ["wait",1]', '- 1 ["wait",7]', ' 2 ["wait",2]']);
  t.same(diff(traceOf(), traceOf(1)), ['+ 0 ["wait",1]']);
});

t.test('what stands first in the other trace is found further on in the expected one', async (t) => {
  t.same(diff(traceOf(1, 2, 3), traceOf(2, 3, 4)), [
    '- 0 ["wait",1]',
    ' 1 ["wait",2]',
    ' 2 ["wait",3]',
    '+ 2 ["wait",4]',
  ]);
});

t.test('an end that is equal to the start is not counted twice', async (t) => {
  t.same(diff(traceOf(1, 1), traceOf(1, 1, 1)), [' 0 ["wait",1]', ' 1 ["wait",1]', '+ 2 ["wait",1]']);
  t.same(
    diff(traceOf(1, 2, 1, 2), traceOf(1, 2)).filter((line) => /^[+-]/.test(line)),
    ['- 2 ["wait",1]', '- 3 ["wait",2]'],
  );
});

t.test('where either of two entries could stay, what is left out comes first', async (t) => {
  t.same(diff(traceOf(1, 2), traceOf(2, 1)), ['- 0 ["wait",1]', ' 1 ["wait",2]', '+ 1 ["wait",1]']);
});

/** How many entries two traces have in common at most, in their order. */
function mostInCommon([first, ...rest]: Trace, other: Trace): number {
  if (first === undefined) return 0;
  const without = mostInCommon(rest, other);
  const at = other.findIndex(([, number]) => number === first[1]);
  return at < 0 ? without : Math.max(without, 1 + mostInCommon(rest, other.slice(at + 1)));
}

t.test('as much as possible is equal', async (t) => {
  const random = new Random(randomSeed(t));
  const some = (): Trace =>
    traceOf(...Array.from({ length: random.integer(0, 8) }, () => random.integer(0, 2)));
  for (let round = 0; round < 100; round += 1) {
    const [expected, actual] = [some(), some()];
    const equal = alignTraces(expected, actual).filter(
      (entry) => entry.expected?.entry[1] === entry.actual?.entry[1],
    );
    if (equal.length !== mostInCommon(expected, actual))
      t.fail(`${equal.length} of ${JSON.stringify([expected, actual])}`);
  }
});

t.test('far from a difference nothing is shown', async (t) => {
  const before = Array.from({ length: 10 }, (_, index) => index);
  t.same(diff(traceOf(...before, 10, ...before), traceOf(...before, 11, ...before), { context: 1 }), [
    ' ...',
    ' 9 ["wait",9]',
    '- 10 ["wait",10]',
    '+ 10 ["wait",11]',
    ' 11 ["wait",0]',
  ]);
});

t.test('unless asked for less, three equal entries are shown around each difference', async (t) => {
  const [before, between, after] = [0, 10, 20].map((from) => Array.from({ length: 8 }, (_, i) => from + i));
  const trace = (middle: number, last: number): Trace =>
    traceOf(...(before ?? []), middle, ...(between ?? []), ...(after ?? []), last);
  t.same(diff(trace(30, 40), trace(31, 41)), [
    ' ...',
    ...[5, 6, 7].map((number) => ` ${number} ["wait",${number}]`),
    '- 8 ["wait",30]',
    '+ 8 ["wait",31]',
    ...[10, 11, 12].map((number) => ` ${number - 1} ["wait",${number}]`),
    ' ...',
    ...[25, 26, 27].map((number) => ` ${number - 3} ["wait",${number}]`),
    '- 25 ["wait",40]',
    '+ 25 ["wait",41]',
  ]);
});

t.test('unless asked for more, 40 lines are shown, each with its position in a column of four', async (t) => {
  const long = traceOf(...Array.from({ length: 41 }, (_, index) => index));
  const lines = traceDiff(long, []);
  t.equal(lines[0], '-    0  ["wait",0]');
  t.same(lines.slice(39), ['-   39  ["wait",39]', '  ... and 1 more that differ']);
});

t.test('a long diff is truncated, and the omitted lines are counted', async (t) => {
  t.same(diff(traceOf(1, 2, 3, 4), traceOf(), { most: 1 }), [
    '- 0 ["wait",1]',
    ' ... and 3 more that differ',
  ]);
});

t.test('very long traces are shown as wholly removed and added', async (t) => {
  const many = Array.from({ length: 600 }, (_, index) => index);
  const lines = diff(traceOf(-1, ...many, -2), traceOf(-3, ...many, -4), { most: 2000 });
  t.equal(lines.filter((line) => line.startsWith('-')).length, 602);
  t.equal(lines.filter((line) => line.startsWith('+')).length, 602);
});

t.test('traces of 500 entries are searched for what they have in common', async (t) => {
  const many = Array.from({ length: 498 }, (_, index) => index);
  const lines = diff(traceOf(-1, ...many, -2), traceOf(-3, ...many, -4), { context: 0 });
  t.same(lines, ['- 0 ["wait",-1]', '+ 0 ["wait",-3]', ' ...', '- 499 ["wait",-2]', '+ 499 ["wait",-4]']);
});

t.test('of very long traces the equal beginning and the equal end are left out', async (t) => {
  const many = Array.from({ length: 600 }, (_, index) => index);
  const lines = (expected: number[], actual: number[]): string[] =>
    diff(traceOf(...expected), traceOf(...actual), { context: 0 });
  t.same(lines([...many, -1], [...many, -2]), [' ...', '- 600 ["wait",-1]', '+ 600 ["wait",-2]']);
  t.same(lines([-1, ...many], [-2, ...many]), ['- 0 ["wait",-1]', '+ 0 ["wait",-2]']);
});

t.test(
  'what is expected and what is there instead stand beside each other, as far as there are as many',
  async (t) => {
    const place = (index: number, number: number) => ({ index, entry: ['wait', number] });
    t.strictSame(alignTraces(traceOf(1, 2, 3, 4), traceOf(5, 3, 6, 7)), [
      { expected: place(0, 1), actual: place(0, 5) },
      { expected: place(1, 2) },
      { expected: place(2, 3), actual: place(1, 3) },
      { expected: place(3, 4), actual: place(2, 6) },
      { actual: place(3, 7) },
    ]);
  },
);

t.test('the order of members, and the name used for an error, make no difference', async (t) => {
  t.equal(firstDifference([['state', { fd: 1, id: 2 }]], [['state', { id: 2, fd: 1 }]]), undefined);
  t.equal(firstDifference([['sys', 'x', '-EAGAIN']], [['sys', 'x', '-EWOULDBLOCK']]), undefined);
  t.match(firstDifference([['sys', 'x', '-EAGAIN']], [['sys', 'x', 'EAGAIN']]), { index: 0 });
  t.match(firstDifference([['wait', 0]], [['wait', '0']]), { index: 0 });
  t.match(firstDifference([['wait', 0]], []), { index: 0, actual: undefined });
});

t.test(
  'two traces side by side have each of their entries once, in order, and equal ones beside each other',
  async (t) => {
    const random = new Random(randomSeed(t));
    for (let count = 0; count < 500; count++) {
      const trace = (): Trace =>
        traceOf(...Array.from({ length: random.integer(0, 12) }, () => random.integer(1, 4)));
      const [expected, actual] = [trace(), trace()];
      const aligned = alignTraces(expected, actual);
      const side = (of: 'expected' | 'actual') => aligned.flatMap((row) => row[of] ?? []);
      const whole = (of: Trace) => of.map((entry, index) => ({ index, entry }));
      t.same([side('expected'), side('actual')], [whole(expected), whole(actual)]);
      const equal = aligned.filter((row) => row.expected?.entry[1] === row.actual?.entry[1]);
      const lines = traceDiff(expected, actual, { context: 99, most: 99 });
      const alike =
        lines.length === 0 ? expected.length : lines.filter((line) => line.startsWith(' ')).length;
      t.equal(equal.length, alike, 'as many stand beside their like as have one');
    }
  },
);
