// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { programArguments } from '../../scripts/program.js';
import { hasNamespaces, run } from '../programs.js';
import { foreignBackup } from './foreign.js';
import { primaryOn, serverTest } from './world.js';

interface Told {
  readonly event: string;
  readonly code?: string;
  readonly message?: string;
}

/**
 * A primary sends slowly, for ever, in a network of its own, which is then cut; ends when both sides have noticed. The
 * directory for logs is `$0`, the command what follows.
 */
const script = `
  cd "$0"; ip link set lo up
  "$@" backup --no-status --silence-timeout 1 --json -o copy 127.0.0.1:9000 2> backup.log & backup=$!
  (while echo x; do sleep 0.05; done) 2> /dev/null |
    "$@" primary --no-status --silence-timeout 1 --json 127.0.0.1:9000 2> primary.log &
  until grep -q '"progress"' backup.log; do sleep 0.1; done
  ip link set lo down
  until grep -q '"failed"' primary.log && grep -q '"broken"' backup.log; do sleep 0.1; done
  kill $backup; wait
`;

tap.test('both sides of a cut link notice it, the one that sends and the one that waits', async (t) => {
  if (!(await hasNamespaces(t))) return;
  const directory = t.testdir();
  const command = [process.execPath, ...programArguments('src/cli/main.ts')];
  const { status } = await run('timeout', ['60', 'unshare', '-n', 'sh', '-c', script, directory, ...command]);
  t.equal(status, 0, 'not for as long as the kernel would take');
  const told = (file: string): Told[] =>
    readFileSync(join(directory, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Told);
  t.match(
    told('primary.log').find(({ event }) => event === 'failed'),
    { code: 'ETIMEDOUT', message: /^the backup's host has answered nothing for 1 s/ },
  );
  const backup = told('backup.log');
  t.match(
    backup.find(({ event }) => event === 'broken'),
    { code: 'ETIMEDOUT' },
  );
  t.match(
    backup.findLast(({ event }) => event === 'listening'),
    {},
    'it takes the next one',
  );
});

serverTest(
  'a program that ends its side at once is distinguished from a refusal, with --raw named',
  async (t, server) => {
    const address = await foreignBackup(t, (socket) => socket.end());
    const { primary, log } = primaryOn(server, { name: address });
    await primary.start();
    t.match(
      (await log.event('turned-away')).message,
      /ended the connection before anything was sent: .* another program, which gets the image with --raw$/,
    );
    primary.stop('SIGTERM');
    await primary.ended;
  },
);

serverTest('a refusal may be as long as a verdict can be', async (t, server) => {
  const code = 'EUNREASONABLE';
  for (const letters of [1, 512 - `error ${code} \n`.length]) {
    const reason = 'x'.repeat(letters);
    const address = await foreignBackup(t, (socket) => socket.end(`error ${code} ${reason}\n`));
    const { primary, log } = primaryOn(server, { name: address });
    await primary.start();
    t.match((await log.event('turned-away')).message, reason);
    primary.stop('SIGTERM');
    await primary.ended;
  }
});

serverTest(
  'a line that is too long for a refusal is another program’s, which gets the image',
  async (t, server) => {
    const address = await foreignBackup(t, (socket) => {
      socket.write(`error EBUSY ${'x'.repeat(600)}`);
      socket.on('end', () => socket.end()).resume();
    });
    const { primary, log } = primaryOn(server, { name: address });
    await primary.start();
    t.match(await log.event('complete'), { confirmed: false });
    t.match(await primary.ended, { kind: 'complete' });
  },
);
