// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { command, type CommandGroup } from '../../../src/cli/command-line/command.js';
import { defineTable } from '../../../src/cli/command-line/command-table.js';
import { optional } from '../../../src/cli/command-line/parameter.js';
import { runCommand } from '../../../src/cli/command-line/run-command.js';
import { text } from '../../../src/cli/command-line/value-type.js';
import { program } from '../../../src/cli/commands.js';
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

t.test('help, and commands that only print, fail where standard output is closed', async (t) => {
  // This is what stands for a closed one: see wasClosed.
  const stdoutFd = openSync('/dev/null', 'r+');
  t.teardown(() => closeSync(stdoutFd));
  const failing = (path: string): Outcome => ({
    ...{ exitCode: 1, stdout: '' },
    stderr: `${path}: standard output is closed, or /dev/null opened for reading too, but the results go there\n`,
  });
  const closed = (entry: CommandGroup, ...argv: string[]): Promise<Outcome> =>
    captured((words, io) => runCommand(entry, entry.name, words, { ...io, stdoutFd }), argv);
  t.same(await closed(outer, 'say', '--help'), failing('outer say'));
  t.same(await closed(outer, 'say', '--word', 'a'), { exitCode: 7, stdout: 'a\n', stderr: '' });
  for (const name of ['status', 'conformance', 'record', 'simulate', 'completion'])
    t.same(await closed(program, name), failing(`tapdisk-ts ${name}`));
});
