// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { command, type CommandGroup } from '../../../src/cli/command-line/command.js';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { optional } from '../../../src/cli/command-line/parameter.js';
import { runCommand } from '../../../src/cli/command-line/run-command.js';
import { text } from '../../../src/cli/command-line/value-type.js';
import { UsageError } from '../../../src/cli/usage-error.js';
import { captured, type Outcome } from '../captured-io.js';

const table = defineTable({
  name: 'say',
  summary: 'print a word',
  description: ['Prints a word.'],
  arguments: {},
  options: { word: optional(text('WORD'), { help: 'The word.', environment: 'TAPDISK_TS_TEST_WORD' }) },
  exitStatus: { 0: 'Done.' },
});
const say = command(table, async () => async ({ word }, io) => {
  if (word === 'wrong') throw new UsageError('not\nthis word');
  if (word === 'fault') throw new TypeError('a fault');
  io.stdout.write(`${word}\n`);
  return 7;
});
const inner: CommandGroup = { name: 'inner', summary: 'a group', description: ['A group.'], commands: [say] };
const outer: CommandGroup = { ...inner, name: 'outer', commands: [inner, say] };

const run = (...argv: string[]): Promise<Outcome> =>
  captured((words, io) => runCommand(outer, 'outer', words, io), argv);

t.test('a command is found by its words, and its status is returned', async (t) => {
  const spoken = { exitCode: 7, stdout: 'a\n', stderr: '' };
  t.same(await run('say', '--word', 'a'), spoken);
  t.same(await run('inner', 'say', '--word', 'a'), spoken);
});

t.test('variables are those of the process unless others are given', async (t) => {
  process.env['TAPDISK_TS_TEST_WORD'] = 'of the process';
  t.teardown(() => delete process.env['TAPDISK_TS_TEST_WORD']);
  t.match(await run('say'), { stdout: 'of the process\n' });
  const given = (environment: Record<string, string>): Promise<Outcome> =>
    captured((words, io) => runCommand(outer, 'outer', words, { ...io, environment }), ['say']);
  t.match(await given({ TAPDISK_TS_TEST_WORD: 'given' }), { stdout: 'given\n' });
  t.match(await given({}), { stdout: 'undefined\n' });
});

t.test('help can be asked for in several ways, of groups and of commands', async (t) => {
  for (const argv of [['--help'], ['-h'], ['help']])
    t.match(await run(...argv), { exitCode: 0, stdout: /^Usage: outer COMMAND/, stderr: '' }, argv.join(' '));
  for (const argv of [
    ['inner', '--help'],
    ['help', 'inner'],
  ])
    t.match(await run(...argv), { exitCode: 0, stdout: /^Usage: outer inner COMMAND/ }, argv.join(' '));
  for (const argv of [
    ['inner', 'say', '--help'],
    ['inner', 'say', '--word', 'a', '-h'],
    ['inner', 'help', 'say'],
    ['help', 'inner', 'say'],
  ])
    t.match(await run(...argv), { exitCode: 0, stdout: /^Usage: outer inner say/ }, argv.join(' '));
});

t.test('usage errors have status 2, are one line, and name the command whose help has more', async (t) => {
  t.same(await run('inner', 'say', '--word', 'wrong'), {
    ...{ exitCode: 2, stdout: '' },
    stderr: 'outer inner say: not\\nthis word\nTry outer inner say --help.\n',
  });
  t.same(await run('inner'), {
    ...{ exitCode: 2, stdout: '' },
    stderr: 'outer inner: missing command: expected one of say\nTry outer inner --help.\n',
  });
  t.match(await run('sing'), {
    exitCode: 2,
    stderr: /^outer: unknown command "?sing"?: expected one of inner, say\n/,
  });
  await t.rejects(run('say', '--word', 'fault'), { name: 'TypeError' }, 'a fault is no usage error');
});
