// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { programArguments } from '../../scripts/program.js';
import { dispatch } from '../../src/cli/dispatch.js';
import { shortDirectory } from '../short-directory.js';
import { captured } from './captured-io.js';

t.test('an ignored signal does nothing, and others terminate as before', async (t) => {
  const directory = shortDirectory(t);
  const argv = [
    'backup',
    '127.0.0.1:0',
    '--output',
    join(directory, 'copy'),
    '--ignore-signals',
    'HUP,SIGINT',
  ];
  const child = spawn(process.execPath, [...programArguments('src/cli/main.ts'), ...argv], {
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  while (!stderr.includes('waiting')) await once(child.stderr, 'data');
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) child.kill(signal);
  while (!/descriptors|event/.test(stderr)) await once(child.stderr, 'data');
  child.kill('SIGTERM');
  t.strictSame(await once(child, 'exit'), [143, null], stderr);
});

t.test('a signal that cannot be ignored is refused, with those that can', async (t) => {
  for (const command of [['daemon'], ['backup', '127.0.0.1:0'], ['primary', '127.0.0.1:1']]) {
    const run = await captured((args, io) => dispatch(args, io), [...command, '--ignore-signals', 'TERM']);
    t.equal(run.exitCode, 2);
    t.match(
      run.stderr,
      /invalid --ignore-signals "TERM": expected one or more of HUP, INT, with commas between/,
    );
  }
});
