// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { inSeededOrder, mutationsOf } from '../../../scripts/mutation/mutations.js';

const LICENCE = '// nothing to break\n';

/** What the lines of a text become. */
function becomes(text: string): string[] {
  return mutationsOf('src/none.ts', LICENCE + text + '\n').map(({ after }) => after);
}

t.test('boundaries are shifted, and comparisons reversed', async (t) => {
  t.same(becomes('x = a < b;'), [';', 'x = a <= b;', 'x = a >= b;']);
  t.same(becomes('x = a !== b;'), [';', 'x = a === b;']);
});

t.test('a condition always or never holds', async (t) => {
  t.same(becomes('if (ready) go();'), ['if (true) go();', 'if (false) go();', 'if (ready) ;']);
  t.same(becomes('const x = ready ? a : b;'), ['const x = true ? a : b;', 'const x = false ? a : b;']);
});

t.test(
  'numbers are one more and one less, round ones twice as much, and texts are not subtracted',
  async (t) => {
    t.same(becomes('const x = a + 2;'), ['const x = a - 2;', 'const x = a + 3;', 'const x = a + 1;']);
    t.same(becomes('const x = 30_000;'), ['const x = 60000;']);
    t.same(becomes("const x = a + 'b';"), []);
    t.same(becomes('const x = `${a}` + b;'), []);
  },
);

t.test('statements are omitted, and values not returned', async (t) => {
  t.same(becomes('async () => { await go(); return x; };'), [
    ';',
    'async () => { ; return x; };',
    'async () => { go(); return x; };',
    'async () => { await go(); return undefined; };',
  ]);
  t.same(becomes('const f = () => go();'), ['const f = () => undefined;']);
  t.same(becomes('function f() { throw what; }'), ['function f() { ; }']);
});

t.test('types, log lines and error messages are not mutated', async (t) => {
  t.same(becomes('type X = 1 | true;'), []);
  t.same(becomes('const x = y as 1;'), []);
  t.same(becomes('const x = new RangeError(`${a + 1}`);'), []);
  t.same(becomes('const f = () => { logger.log(a + 1); };'), []);
  t.same(becomes('const f = () => { DPRINTF(t, `${a + 1}`); };'), []);
});

t.test(
  'a mutation names its place in one line, and keeps its name when lines are added before it',
  async (t) => {
    const text = 'const x = f(\n  a && b,\n);\n';
    const [first] = mutationsOf('src/none.ts', text);
    t.match(first, { line: 2, column: 4, before: 'a && b,', after: 'a || b,', kind: 'logic' });
    const [moved] = mutationsOf('src/none.ts', `\n\n${text}`);
    t.equal(moved?.id, first?.id);
    const twice = mutationsOf('src/none.ts', 'f(\n  1,\n  1,\n);');
    t.equal(new Set(twice.map(({ id }) => id)).size, twice.length);
  },
);

t.test('a seed’s order is unchanged when a mutation disappears', async (t) => {
  const all = mutationsOf('src/none.ts', 'const x = [a < b, c > d, e && f, 1, 2, 3];\n');
  const order = inSeededOrder(all, 5);
  const [, ...others] = all;
  t.same(
    inSeededOrder(others, 5),
    order.filter((mutation) => mutation !== all[0]),
  );
  t.notSame(inSeededOrder(all, 6), order);
});
