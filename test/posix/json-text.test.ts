// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { MAX_JSON_DEPTH, parseJson } from '../../src/posix/json-text.js';

const nested = (depth: number, [open, close] = ['[', ']']): string =>
  `${open?.repeat(depth)}${close?.repeat(depth)}`;

t.test('JSON is parsed as ever, a byte order mark before it skipped', async (t) => {
  t.same(parseJson('{"a":[1,"b"]}'), { a: [1, 'b'] });
  t.same(parseJson('\uFEFF7'), 7);
  for (const text of ['', '\uFEFF\uFEFF7', '7\0', '[1]x', 'NaN', '{"a":}'])
    t.throws(() => parseJson(text), SyntaxError, text);
});

t.test('what is nested too deep is refused, whatever its strings contain', async (t) => {
  t.doesNotThrow(() => parseJson(nested(MAX_JSON_DEPTH)));
  const tooDeep = { name: 'SyntaxError', message: 'arrays and objects are nested deeper than 100' };
  t.throws(() => parseJson(nested(MAX_JSON_DEPTH + 1)), tooDeep);
  t.throws(() => parseJson(nested(100_000)), tooDeep);
  t.throws(() => parseJson(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`), tooDeep);
  t.throws(() => parseJson(`["\\\\",${nested(MAX_JSON_DEPTH)}]`), tooDeep);
  t.throws(() => parseJson(`["\\"","a\\\\\\"]","",${nested(MAX_JSON_DEPTH)}]`), tooDeep);
  const brackets = `${'['.repeat(200)}\\"{`;
  t.same(parseJson(`["${brackets}","\\\\",${nested(99)}]`), [
    JSON.parse(`"${brackets}"`),
    '\\',
    JSON.parse(nested(99)),
  ]);
  const side = `[${Array.from({ length: 500 }, () => '{}').join(',')}]`;
  t.equal((parseJson(side) as unknown[]).length, 500);
});
