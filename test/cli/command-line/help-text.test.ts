// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { allEntries } from '../../../scripts/command-documents.js';
import { isGroup } from '../../../src/cli/command-line/command.js';
import { helpText } from '../../../src/cli/command-line/help-text.js';
import { optionName } from '../../../src/cli/command-line/parameter-names.js';

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

for (const { path, entry } of allEntries()) {
  t.test(`${path} --help fits 80 columns, and a terminal that has fewer`, async (t) => {
    t.ok(widest(helpText(entry, path)) <= 80);
    t.ok(widest(helpText(entry, path, 200)) <= 80);
    t.ok(widest(helpText(entry, path, 60)) <= 60);
    t.equal(
      widest(helpText(entry, path, 10)),
      widest(helpText(entry, path, 40)),
      'it is readable all the same',
    );
  });

  if (isGroup(entry)) continue;
  t.test(`the table of ${path} makes sense`, async (t) => {
    const { options, arguments: operands, exitStatus } = entry.table;
    const letters = Object.values(options).flatMap(({ short }) => short ?? []);
    t.equal(new Set(letters).size, letters.length, 'a letter stands for one option');
    t.notOk([...letters, ...Object.keys(options)].some((name) => name === 'h' || name === 'help'));
    t.same(
      Object.keys(operands).filter((key) => key in options),
      [],
      'an argument and an option have different keys',
    );
    for (const [key, { requires = [], excludes = [], help }] of Object.entries(options)) {
      for (const other of [...requires, ...excludes]) t.ok(options[other], `${optionName(key)}: ${other}`);
      t.match(help, /^[A-Z].*[.]$/s, optionName(key));
    }
    for (const text of [...Object.values(exitStatus), ...entry.table.description])
      t.match(text, /^[A-Z].*[.]$/s);
    t.notMatch(entry.table.summary, /^[A-Z]|[.]$/, 'a summary is a phrase');
  });
}
