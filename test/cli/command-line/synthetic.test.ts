// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { command, type CommandGroup } from '../../../src/cli/command-line/command.js';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { helpText } from '../../../src/cli/command-line/help-text.js';
import { manPages } from '../../../src/cli/command-line/man-page.js';
import { optional } from '../../../src/cli/command-line/parameter.js';
import { asksForHelp } from '../../../src/cli/command-line/parse-values.js';
import { text } from '../../../src/cli/command-line/value-type.js';
import { wrapped } from '../../../src/cli/command-line/wrapped-text.js';

const leaf = command(
  defineTable({
    name: 'leaf',
    summary: 'be the innermost command',
    description: ['Is the innermost command.'],
    arguments: { name: optional(text('NAME'), { help: 'A name.' }) },
    options: {},
    exitStatus: { 0: 'Done.' },
  }),
  async () => async () => 0,
);
const inner: CommandGroup = { name: 'inner', summary: 'group', description: ['Groups.'], commands: [leaf] };
const outer: CommandGroup = { name: 'outer', summary: 'group', description: ['Groups.'], commands: [inner] };
const program: CommandGroup = { name: 'program', summary: 'run', description: ['Runs.'], commands: [outer] };

t.test('an optional argument is shown in brackets', async (t) => {
  t.match(helpText(leaf, 'program outer inner leaf'), 'Usage: program outer inner leaf [OPTION]... [NAME]\n');
});

t.test('a nested group is a section of its group’s page, and so are its commands', async (t) => {
  const page = manPages(program, '1').find(({ file }) => file === 'program-outer.1')?.text ?? '';
  t.match(page, '.SH "program outer inner"\n');
  t.match(page, '.SH "program outer inner leaf"\n');
});

t.test('--help is recognised before --, and not after it', async (t) => {
  t.equal(asksForHelp(['x', '-h']), true);
  t.equal(asksForHelp(['--help', '--', 'x']), true);
  t.equal(asksForHelp(['--', '--help']), false);
});

t.test('text is wrapped between words; a word that is too long stays whole', async (t) => {
  t.same(wrapped('', 10), []);
  t.same(wrapped('a bc  def', 4), ['a bc', 'def']);
  t.same(wrapped('a abcdefgh b', 4), ['a', 'abcdefgh', 'b']);
});
