// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { command, type CommandGroup } from '../../../src/cli/command-line/command.js';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { helpText } from '../../../src/cli/command-line/help-text.js';
import { manPages } from '../../../src/cli/command-line/man-page.js';
import { flag, optional, repeated, required, withDefault } from '../../../src/cli/command-line/parameter.js';
import { asksForHelp, parseValues } from '../../../src/cli/command-line/parse-values.js';
import { text, wholeNumber } from '../../../src/cli/command-line/value-type.js';
import { labelled, wrapped } from '../../../src/cli/command-line/wrapped-text.js';

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

t.test('a fault in what reads a value is no usage error', async (t) => {
  const faulty = {
    placeholder: 'X',
    parse(): string {
      throw new TypeError('a fault');
    },
  };
  const table = defineTable({
    name: 'faulty',
    summary: 'fail',
    description: [],
    arguments: { x: required(faulty, { help: 'Anything.' }) },
    options: {},
    exitStatus: {},
  });
  t.throws(() => parseValues(table, ['a']), { name: 'TypeError', message: 'a fault' });
});

t.test('text is wrapped between words; a word that is too long stays whole', async (t) => {
  t.same(wrapped('', 10), []);
  t.same(wrapped('a bc  def', 4), ['a bc', 'def']);
  t.same(wrapped('a abcdefgh b', 4), ['a', 'abcdefgh', 'b']);
});

t.test('help has a section for each part of a command, with the facts of each option', async (t) => {
  const full = command(
    defineTable({
      name: 'full',
      summary: 'show all of it',
      description: ['Shows all that a table can have.', 'In two paragraphs.'],
      arguments: {
        name: required(text('NAME'), { help: 'A name.' }),
        more: repeated(text('MORE'), { help: 'More.' }),
      },
      options: {
        keep: required(text('FILE'), { help: 'Keep it here.' }),
        level: withDefault(wholeNumber('N', 1, 9), 5, {
          short: 'l',
          help: 'How much.',
          environment: 'LEVEL',
        }),
        quick: flag({ help: 'Hurry.', requires: ['keep', 'level'], excludes: ['slow', 'tag'] }),
        slow: flag({ help: 'Do not.' }),
        tag: repeated(text('TAG'), { help: 'A tag.' }),
      },
      notes: ['A note.'],
      exitStatus: { 0: 'Done.', 1: 'Failed.' },
      signalStatus: 'Ended by signal N.',
    }),
    async () => async () => 0,
  );
  t.equal(
    helpText(full, 'program full', 60),
    [
      'Usage: program full --keep FILE [OPTION]... NAME [MORE]...',
      '',
      'Shows all that a table can have.',
      '',
      'In two paragraphs.',
      '',
      'Arguments:',
      '  NAME  A name.',
      '  MORE  More (may be repeated).',
      '',
      'Options:',
      '      --keep FILE  Keep it here.',
      '  -l, --level N    How much (1 to 9; default 5; environment',
      '                   LEVEL).',
      '      --quick      Hurry (requires --keep and --level; not',
      '                   with --slow or --tag).',
      '      --slow       Do not.',
      '      --tag TAG    A tag (may be repeated).',
      '  -h, --help       Print this help.',
      '',
      'A note.',
      '',
      'Exit status:',
      '  0      Done.',
      '  1      Failed.',
      '  2      Usage error.',
      '  128+N  Ended by signal N.',
      '',
    ].join('\n'),
  );
});

t.test('help has 40 columns where a terminal is narrower, and 80 where it is wider', async (t) => {
  const described = (description: string) => ({ ...program, description: [description] });
  const [a, b] = ['a'.repeat(20), 'b'.repeat(19)];
  t.match(helpText(described(`${a} ${b}`), 'program', 10), `\n${a} ${b}\n`);
  t.match(helpText(described(`${a} ${b}b`), 'program', 10), `\n${a}\n${b}b\n`);
  t.match(helpText(described(`${a}${a} ${a}${b}`), 'program', 1000), `\n${a}${a} ${a}${b}\n`);
  t.match(helpText(described(`${a}${a} ${a}${b}b`), 'program', 1000), `\n${a}${a}\n${a}${b}b\n`);
});

t.test('help of a group lists its commands', async (t) => {
  t.equal(
    helpText({ ...program, notes: ['A note.'] }, 'program', 50),
    [
      'Usage: program COMMAND [OPTION]... [ARGUMENT]...',
      '',
      'Runs.',
      '',
      'Commands:',
      '  outer  Group.',
      '',
      'program COMMAND --help describes a command.',
      '',
      'A note.',
      '',
    ].join('\n'),
  );
});

t.test(
  'a usage line that is too long goes on below, and a label stands alone where it leaves no room',
  async (t) => {
    const [usage = '', more = '', ...rest] = helpText(leaf, 'program outer inner leaf leaf', 40).split('\n');
    t.same([usage, more], ['Usage: program outer inner leaf leaf', '       [OPTION]... [NAME]']);
    t.equal(rest[0], '');
    t.same(
      labelled(
        [
          ['a', 'one two'],
          ['bc', 'three'],
        ],
        20,
      ),
      ['  a   one two', '  bc  three'],
    );
    t.same(
      labelled(
        [
          ['abcdefgh', 'one two three'],
          ['b', 'four'],
        ],
        18,
      ),
      ['  abcdefgh', '        one two', '        three', '  b     four'],
    );
    t.same(labelled([['abcd', 'one']], 18), ['  abcd  one']);
    t.same(labelled([['abcde', 'one']], 18), ['  abcde', '        one']);
  },
);
