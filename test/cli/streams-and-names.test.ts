// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dispatch } from '../../src/cli/dispatch.js';
import { lostBytes } from '../../src/cli/lost-bytes.js';
import { captured } from './captured-io.js';
import { shortDirectory } from '../short-directory.js';
import { mainProgram } from './command-process.js';

const hasProc = readdirSync('/').includes('proc') ? false : 'needs /proc';

/** What becomes of the command with `script` around it, in which `"$@"` is the command. */
function inShell(script: string, ...argv: string[]) {
  return spawnSync('sh', ['-c', script, 'sh', process.execPath, ...mainProgram, ...argv], {
    encoding: 'utf8',
  });
}

t.test('a command whose standard stream is missing reports it at the start', { skip: hasProc }, async (t) => {
  const cases: readonly [script: string, argv: string[], message: RegExp][] = [
    [
      '"$@" >&-',
      ['backup', '--no-status', '--once', '127.0.0.1:0'],
      /standard output is closed: redirect it \(> COPY\)/,
    ],
    [
      '"$@" <&-',
      ['primary', '--no-status', '127.0.0.1:9'],
      /standard input is closed: redirect it \(< IMAGE\)/,
    ],
    ['"$@" >&-', ['record', '/dev/null'], /tapdisk-ts record: standard output is closed/],
    ['"$@" >&-', ['ctl', 'list', '--help'], /tapdisk-ts ctl list: standard output is closed/],
  ];
  for (const [script, argv, message] of cases) {
    const { status, stderr } = inShell(script, ...argv);
    t.equal(status, 1, argv.join(' '));
    t.match(stderr, message);
  }
});

t.test(
  'a command that does more than print works with a /dev/null that other programs opened for it',
  { skip: hasProc },
  async (t) => {
    const image = join(t.testdir(), 'image.vhd');
    // As Python's DEVNULL and Node's 'ignore' are, and what Node itself puts in the place of a closed stream.
    const script = '"$@" <> /dev/null 1<> /dev/null';
    t.match(inShell(script, 'vhd', 'create', image, '1M'), { status: 0, stderr: '' });
    t.match(inShell(script, 'vhd', 'info', image), {
      status: 1,
      stderr: /or \/dev\/null opened for reading too, but the results go there/,
    });
  },
);

t.test('output sent to /dev/null on purpose goes there', async (t) => {
  const { status, stderr } = inShell('"$@" > /dev/null < /dev/null', 'backup', '--no-status', '192.0.2.1:9');
  t.equal(status, 3, stderr);
});

t.test('a name that is not UTF-8 is refused, and no other file is touched', { skip: hasProc }, async (t) => {
  const directory = t.testdir();
  const script = 'cd "$DIRECTORY" && "$@" "$(printf \'copy\\377\')"';
  process.env['DIRECTORY'] = directory;
  t.teardown(() => delete process.env['DIRECTORY']);
  const { status, stderr } = inShell(script, 'backup', '127.0.0.1:0', '--no-status', '-o');
  t.equal(status, 2);
  t.equal(stderr, "tapdisk-ts: argument 'copy\\xff' is not UTF-8: rename the file, or use a link\n");
  t.same(readdirSync(directory), []);
});

t.test('a file named by a variable is checked before the run too', async (t) => {
  const process = t.testdir({ cmdline: 'node\0main.js\0h\u00e9\ufffd\0' });
  writeFileSync(join(process, 'environ'), Buffer.from('A=\xff\0XDG_RUNTIME_DIR=/run/\u00e9\0', 'latin1'));
  t.equal(lostBytes(process), "environment variable 'XDG_RUNTIME_DIR=/run/\\xe9' is not UTF-8");
  writeFileSync(join(process, 'environ'), Buffer.from('TAPDISK_TS_CONTROL_DIRECTORY=\xff\0', 'latin1'));
  t.equal(lostBytes(process), "environment variable 'TAPDISK_TS_CONTROL_DIRECTORY=\\xff' is not UTF-8");
  writeFileSync(join(process, 'environ'), Buffer.from('XDG_RUNTIME_DIR=/run/\u00e9\0'));
  t.equal(lostBytes(process), undefined, 'a replacement character that was given is a character');
  mkdirSync(join(process, 'none'));
  t.equal(lostBytes(join(process, 'none')), undefined);
});

t.test(
  'in a directory whose name is not UTF-8 no socket is made in another one',
  { skip: hasProc },
  async (t) => {
    const directory = shortDirectory(t);
    mkdirSync(join(directory, 'in\ufffd'));
    mkdirSync(Buffer.from(`${directory}/in\xff`, 'latin1'));
    const { status, stderr } = inShell(
      `cd "${directory}/$(printf 'in\\377')" && "$@"`,
      ...['daemon', '--control-directory', directory, '--nbd', './socket'],
    );
    t.equal(status, 1);
    t.match(stderr, /cannot listen on \.\/socket: EILSEQ/);
    t.same(readdirSync(join(directory, 'in\ufffd')), []);
  },
);

t.test('an image is not deleted beside a file whose name is not UTF-8: it may be a child', async (t) => {
  const directory = t.testdir();
  const vhd = (...argv: string[]) => captured(dispatch, ['vhd', ...argv]);
  const [root, old, child] = ['root.vhd', 'old.vhd', 'child.vhd'].map((name) => join(directory, name));
  if (!root || !old || !child) return;
  await vhd('create', root, '1M');
  await vhd('snapshot', root, old, '--keep-empty');
  await vhd('snapshot', old, child, '--keep-empty');
  copyFileSync(child, Buffer.from(`${directory}/child\xff.vhd`, 'latin1'));
  const { exitCode, stderr } = await vhd('coalesce', old, '--relink', child, '--delete');
  t.equal(exitCode, 1);
  t.match(stderr, /cannot list a name that is not UTF-8/);
  t.ok(existsSync(old));
});

t.test('bytes are shown as they are where they can be, else by their numbers', async (t) => {
  const process = t.testdir();
  writeFileSync(join(process, 'cmdline'), Buffer.from('node\0 a~\x7f\x1f\x05\xff\0', 'latin1'));
  t.match(lostBytes(process), /^argument ' a~\\x7f\\x1f\\x05\\xff' is not UTF-8/);
});
