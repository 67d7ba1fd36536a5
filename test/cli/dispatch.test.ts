// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import t from 'tap';
import { manifest } from '../../scripts/repository-files.js';
import { commands } from '../../src/cli/commands.js';
import { command } from './command.js';

const { version } = manifest;

t.test('help lists every command with its summary', async (t) => {
  for (const argv of [['--help'], ['-h'], ['help']]) {
    const { status, stdout, stderr } = await command(...argv);
    t.equal(status, 0);
    t.equal(stderr, '');
    for (const { name, summary } of commands) t.match(stdout, `  ${name.padEnd(11)}  ${summary}\n`);
  }
});

for (const { name } of commands) {
  t.test(`${name} --help tells its use and its exit status`, async (t) => {
    for (const argv of [
      [name, '--help'],
      [name, '-h'],
      ['help', name],
    ]) {
      const { status, stdout, stderr } = await command(...argv);
      t.equal(status, 0);
      t.match(stdout, `Usage: tapdisk-ts ${name}`);
      t.match(stdout, 'Exit status: 0');
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

t.test('no command, and one that there is not, are told which there are', async (t) => {
  const none = await command();
  t.equal(none.status, 2);
  t.match(none.stderr, 'tapdisk-ts: a command is wanted: primary, backup, status');
  const unknown = await command('replicate');
  t.equal(unknown.status, 2);
  t.match(unknown.stderr, 'tapdisk-ts: there is no command "replicate"; there are primary, backup, status');
  t.match(unknown.stderr, 'Try tapdisk-ts --help.');
  t.equal((await command('help', 'replicate')).status, 2);
});

const wrongs: [string[], string][] = [
  [['primary'], 'HOST:PORT is missing'],
  [['primary', 'a:1', 'b:2'], 'one HOST:PORT is wanted, but there is also b:2'],
  [['primary', 'a'], '"a" has no port'],
  [['primary', 'a:0'], 'a number from 1 to 65535'],
  [['backup', 'a:99999'], 'a number from 0 to 65535'],
  [['backup', ':9000'], 'has no host'],
  [
    ['backup', 'a:1', '--idle-timeout', 'soon'],
    '--idle-timeout is soon, but must be a whole number from 0 to 86400',
  ],
  [['backup', 'a:1', '--idle-timeout', '1.5'], 'a whole number'],
  [['backup', 'a:1', '--idle-timeout', '86401'], 'from 0 to 86400'],
  [['backup', 'a:1', '--status', 's', '--no-status'], '--status and --no-status contradict each other'],
  [['primary', 'a:1', '--status', ''], '--status names no path'],
  [['primary', 'a:1', '--input'], "Option '-i, --input <value>' argument missing"],
  [['status', 'primary'], 'primary is not wanted here; --socket PATH names a socket'],
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
