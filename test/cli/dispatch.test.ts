// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { manifest } from '../../scripts/repository-files.js';
import { titleOf } from '../../src/cli/command-line/command.js';
import { program } from '../../src/cli/commands.js';
import { command } from './command.js';

const { version } = manifest;
const names = program.commands.map((entry) => titleOf(entry).name);

t.test('help lists every command with its summary', async (t) => {
  for (const argv of [['--help'], ['-h'], ['help']]) {
    const { status, stdout, stderr } = await command(...argv);
    t.equal(status, 0);
    t.equal(stderr, '');
    for (const entry of program.commands) {
      const { name, summary } = titleOf(entry);
      t.match(stdout, `  ${name.padEnd(11)}  ${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.\n`);
    }
  }
});

for (const name of names) {
  t.test(`${name} --help describes its use`, async (t) => {
    for (const argv of [
      [name, '--help'],
      [name, '-h'],
      ['help', name],
    ]) {
      const { status, stdout, stderr } = await command(...argv);
      t.equal(status, 0);
      t.match(stdout, `Usage: tapdisk-ts ${name}`);
      t.equal(stderr, '');
    }
  });

  t.test(`${name} refuses an option that it does not know`, async (t) => {
    const { status, stdout, stderr } = await command(name, '--frobnicate');
    t.equal(status, 2);
    t.equal(stdout, '');
    t.match(stderr, new RegExp(`^tapdisk-ts ${name}: .*--frobnicate.*\nTry tapdisk-ts ${name} --help\\.\n$`));
  });
}

t.test("the version is the package's", async (t) => {
  t.same(await command('--version'), { status: 0, stdout: `tapdisk-ts ${version}\n`, stderr: '' });
  t.equal((await command('-V')).status, 0);
});

t.test('simulate runs the seeds it is given', async (t) => {
  t.match(await command('simulate', '--seed', '1'), {
    status: 0,
    stdout: /1 passed, 0 failed\n$/,
    stderr: '',
  });
});

t.test('a missing or unknown command gets the list of commands', async (t) => {
  const none = await command();
  t.equal(none.status, 2);
  t.match(none.stderr, 'tapdisk-ts: missing command: expected one of primary, backup, status');
  const unknown = await command('replicate');
  t.equal(unknown.status, 2);
  t.match(unknown.stderr, 'tapdisk-ts: unknown command "replicate": expected one of primary, backup, status');
  t.match(unknown.stderr, 'Try tapdisk-ts --help.');
  t.equal((await command('help', 'replicate')).status, 2);
});

const wrongs: [string[], string][] = [
  [['primary'], 'missing HOST:PORT'],
  [['primary', 'a:1', 'b:2'], 'unexpected argument "b:2"'],
  [['primary', 'a'], 'invalid HOST:PORT "a": missing port'],
  [['primary', 'a:0'], 'a number from 1 to 65535'],
  [['backup', 'a:99999'], 'a number from 0 to 65535'],
  [['backup', ':9000'], 'missing host'],
  [
    ['backup', 'a:1', '--idle-timeout', 'soon'],
    'invalid --idle-timeout "soon": expected a whole number from 0 to 86400',
  ],
  [['backup', 'a:1', '--idle-timeout', '1.5'], 'a whole number'],
  [['backup', 'a:1', '--idle-timeout', '86401'], 'from 0 to 86400'],
  [['backup', 'a:1', '--status', 's', '--no-status'], '--status and --no-status are mutually exclusive'],
  [['primary', 'a:1', '--status', ''], 'invalid --status "": expected PATH, not an empty string'],
  [['primary', 'a:1', '--input'], '--input requires a value: FILE'],
  [['status', 'primary'], 'unexpected argument "primary"'],
];
for (const [argv, message] of wrongs) {
  t.test(`${argv.join(' ')} is a wrong command line`, async (t) => {
    const { status, stdout, stderr } = await command(...argv);
    t.equal(status, 2);
    t.equal(stdout, '');
    t.match(stderr, message);
    t.match(stderr, `Try tapdisk-ts ${argv[0]} --help.`);
  });
}
