// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { rulesOf } from '../../src/conformance/rules.js';
import { codeBlocks, document, tableRows } from './markdown.js';
import { runPrograms } from './programs.js';

t.setTimeout(60_000);

const { text } = document('docs/dialects.md');

t.test('the program of a waiting callback prints the output shown below it', async (t) => {
  const [program, output] = codeBlocks(text);
  const { printed, outcome } = await runPrograms([program?.code ?? '']);
  t.equal(outcome.exit, 0, outcome.stderr);
  t.same(printed, [output?.code]);
});

t.test('each dialect has its own rules, all of which exist', async (t) => {
  const rules = rulesOf(document('docs/semantics.md').text).filter(({ suite }) => suite === 'scheduler');
  const idsOf = (dialect: 'tapdisk3' | undefined): string[] =>
    rules.filter((rule) => rule.dialect === dialect).map(({ id }) => id);
  const rows = tableRows(text, '## Differences');
  t.ok(rows.length > 20, `${rows.length} rows`);
  for (const [subject = '', tapdisk2 = '', tapdisk3 = ''] of rows) {
    for (const [cell, ids] of [
      [tapdisk2, idsOf(undefined)],
      [tapdisk3, idsOf('tapdisk3')],
    ] as const) {
      const named = cell.match(/\b(?:T-)?[A-Z]\d+\b/g) ?? [];
      t.same(
        named.filter((id) => !ids.includes(id)),
        [],
        subject,
      );
    }
  }
});
