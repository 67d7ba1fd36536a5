// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// What each kind of option and argument becomes in a script; test/cli/completion/completion.test.ts has the shells complete.

import t, { type Test } from 'tap';
import { command, type CommandGroup } from '../../../src/cli/command-line/command.js';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { flag, optional, repeated, required } from '../../../src/cli/command-line/parameter.js';
import { directory, file, oneOf, text } from '../../../src/cli/command-line/value-type.js';
import { bashCompletion } from '../../../src/cli/completion/bash.js';
import { fishCompletion } from '../../../src/cli/completion/fish.js';
import { zshCompletion } from '../../../src/cli/completion/zsh.js';

const paint = command(
  defineTable({
    name: 'paint',
    summary: "paint, don't draw",
    description: [],
    arguments: {
      from: required(file('HOST:FILE'), { help: 'The first.' }),
      others: repeated(oneOf('SIDE', ['left', 'right']), { help: 'More.' }),
    },
    options: {
      dryRun: flag({ short: 'n', help: 'Try [only].' }),
      colour: optional(oneOf('COLOUR', ['red', 'blue']), { short: 'c', help: "It's a colour." }),
      home: optional(directory('DIR'), { help: 'A directory.' }),
      tag: repeated(text('TAG'), { help: 'A tag.' }),
      quick: flag({ help: 'Hurry.' }),
    },
    exitStatus: {},
  }),
  async () => async () => 0,
);
const bare = command(
  defineTable({
    name: 'bare',
    summary: 'do it',
    description: [],
    arguments: {},
    options: {},
    exitStatus: {},
  }),
  async () => async () => 0,
);
const inner: CommandGroup = { name: 'inner', summary: 'group', description: [], commands: [bare] };
const program: CommandGroup = { name: 'a-z', summary: 'run', description: [], commands: [paint, inner] };

/** The script has these lines one after the other, however far they are indented. */
function has(t: Test, script: string, expected: readonly string[]): void {
  const lines = script.split('\n').map((line) => line.trim());
  const start = lines.indexOf(expected[0] ?? '');
  t.same(lines.slice(start, start + expected.length), expected);
}

t.test('bash gets words, files or directories for what a value may be', async (t) => {
  const script = bashCompletion(program);
  has(t, script, ['# bash completion for a-z', '_a_z() {']);
  has(t, script, ["'a-z paint' | 'a-z inner' | 'a-z inner bare')", 'path+=" ${COMP_WORDS[i]}" ;;']);
  const words = (list: string): string => `mapfile -t COMPREPLY < <(compgen -W '${list}' -- "$current");`;
  const files = (kind: string): string =>
    `compopt -o filenames; mapfile -t COMPREPLY < <(compgen ${kind} -- "$current");`;
  has(t, script, [
    'case "$path $previous" in',
    "'a-z paint --colour' | 'a-z paint -c')",
    `${words('red blue')} return ;;`,
    "'a-z paint --home')",
    `${files('-d')} return ;;`,
    "'a-z paint --tag')",
    'return ;;',
    'esac',
    'case $path in',
    "'a-z')",
    'if [[ $current == -* ]]; then',
    words('--help -h'),
    'else',
    words('paint inner'),
    'fi ;;',
    "'a-z paint')",
    'if [[ $current == -* ]]; then',
    words('--dry-run -n --colour -c --home --tag --quick --help -h'),
    'else',
    files('-f'),
    'fi ;;',
    "'a-z inner')",
    'if [[ $current == -* ]]; then',
    words('--help -h'),
    'else',
    words('bare'),
    'fi ;;',
    "'a-z inner bare')",
    'if [[ $current == -* ]]; then',
    words('--help -h'),
    'else',
    ':',
    'fi ;;',
    'esac',
    '}',
    'complete -F _a_z a-z',
  ]);
});

t.test('zsh gets a function a command, with a specification of each option and argument', async (t) => {
  const script = zshCompletion(program);
  has(t, script, ['#compdef a-z', '', '_a-z() {']);
  const help = "'(-h --help)'{-h,--help}'[Print help.]'";
  has(t, script, [
    `_arguments -C ${help} ':command:->command' '*::argument:->argument'`,
    'case $state in',
    'command)',
    "local -a commands=('paint:paint, don'\\''t draw' 'inner:group')",
    '_describe command commands ;;',
    'argument)',
    'case $line[1] in',
    'paint) _a-z_paint ;;',
    'inner) _a-z_inner ;;',
    'esac ;;',
    'esac',
    '}',
  ]);
  has(t, script, [
    '_a-z_paint() {',
    '_arguments -s \\',
    "'(-n --dry-run)'{-n,--dry-run}'[Try \\[only\\].]' \\",
    "'(-c --colour)'{-c+,--colour=}'[It'\\''s a colour.]:COLOUR:(red blue)' \\",
    "'(--home)--home=[A directory.]:DIR:_files -/' \\",
    "'*--tag=[A tag.]:TAG: ' \\",
    "'(--quick)--quick[Hurry.]' \\",
    `${help} \\`,
    "':HOST\\:FILE:_files' \\",
    "'*:SIDE:(left right)'",
    '}',
  ]);
  has(t, script, ['_a-z_inner_bare() {', '_arguments -s \\', help, '}']);
  has(t, script, ['if [[ $funcstack[1] == _a-z ]]; then', '_a-z "$@"', 'else', 'compdef _a-z a-z', 'fi']);
});

t.test(
  'fish gets a line for each command, option and argument, with the path that it belongs to',
  async (t) => {
    const script = fishCompletion(program);
    has(t, script, ['# fish completion for a-z', 'function __a_z_path', 'set -l path a-z']);
    has(t, script, ["case 'a-z paint' 'a-z inner' 'a-z inner bare'", 'set path "$path $word"']);
    const at = (path: string, rest: string): string =>
      `complete -c a-z -n 'test (__a_z_path) = "${path}"' ${rest}`;
    const help = "-s h -l help -d 'Print help.'";
    has(t, script, [
      'complete -c a-z -f',
      at('a-z', "-a paint -d 'paint, don\\'t draw'"),
      at('a-z', "-a inner -d 'group'"),
      at('a-z', help),
      at('a-z paint', "-s n -l dry-run -d 'Try [only].'"),
      at('a-z paint', "-s c -l colour -r -f -a 'red blue' -d 'It\\'s a colour.'"),
      at('a-z paint', "-l home -r -f -a '(__fish_complete_directories)' -d 'A directory.'"),
      at('a-z paint', "-l tag -r -f -d 'A tag.'"),
      at('a-z paint', "-l quick -d 'Hurry.'"),
      at('a-z paint', help),
      at('a-z paint', '-F'),
      at('a-z paint', "-f -a 'left right'"),
      at('a-z inner', "-a bare -d 'do it'"),
      at('a-z inner', help),
      at('a-z inner bare', help),
    ]);
  },
);
