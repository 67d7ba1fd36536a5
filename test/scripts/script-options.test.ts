// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { programArguments } from '../../scripts/program.js';
import { document } from '../docs/markdown.js';
import { run } from '../programs.js';

const script = (name: string, ...args: string[]) =>
  run(process.execPath, [...programArguments(`scripts/${name}.ts`), ...args]);

t.test('npm run mutants prints the options of both lists, which docs/mutation.md has', async (t) => {
  const { status, stdout, stderr } = await script('mutants', '--generated', '--help');
  t.same([status, stderr], [0, '']);
  t.match(stdout, /^npm run mutants \[-- RE\] \[--first\]\n/);
  const options = (text: string): string[] =>
    [...new Set(text.match(/(?<=[[ `])--[a-z]+/g))].filter((option) => option !== '--budget').toSorted();
  const described = options(document('docs/mutation.md').text);
  t.same(options(stdout), described);
});

t.test('an unknown option is named in a line, and so is a value that is not as it must be', async (t) => {
  for (const [args, message] of [
    [['--fist'], "Unknown option '--fist': --help lists the options\n"],
    [['('], /^RE: Invalid regular expression: .*\n$/],
    [['no mutant has this name'], 'no mutant matches no mutant has this name\n'],
    [['--generated', '--jobs', '0'], '--jobs is 0, but must be a whole number from 1 to 64\n'],
    [['--generated', '--seed'], /^Option '--seed <value>' argument missing: --help lists the options\n$/],
  ] as const) {
    const { status, stdout, stderr } = await script('mutants', ...args);
    t.same([status, stdout], [2, ''], args.join(' '));
    t.match(stderr, message);
  }
});

t.test('npm run test:nodes prints its options', async (t) => {
  const { status, stdout } = await script('test-nodes', '-h');
  t.equal(status, 0);
  t.match(stdout, '--only PATH');
});
