// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { repositoryFile } from '../../scripts/repository-files.js';
import { controlWorld, PID } from './world.js';

const run = promisify(execFile);
const source = repositoryFile('test/control/client.c');
const directory = mkdtempSync(join(tmpdir(), 'ctl-c-'));
const client = join(directory, 'client');
t.teardown(() => rmSync(directory, { recursive: true }));

const compiled = spawnSync(
  'cc',
  ['-std=c11', '-Wall', '-Werror', '-Wno-stringop-truncation', '-o', client, source],
  {
    encoding: 'utf8',
  },
);
const withoutCompiler = compiled.error ? `there is no C compiler: cc ${compiled.error.message}` : false;
if (withoutCompiler) process.stderr.write(`\n*** not tested from C's side: ${withoutCompiler}\n\n`);
else t.equal(compiled.status, 0, `the C client compiles ${compiled.stderr}`);

t.test(
  'a C program with its own layout drives the daemon through the life of two VBDs',
  { skip: withoutCompiler },
  async (t) => {
    const world = controlWorld(t);
    const ask = async (...parts: (string | number)[]) =>
      (await run(client, [world.control.path, ...parts.map(String)])).stdout.trimEnd();
    const path = `ram:${'0'.repeat(5)}2`;

    t.equal(await ask(3, 65535), `4 65535 pid=${PID}`);
    t.equal(await ask(5, 1), '6 1 error=0');
    t.equal(await ask(5, 1), '6 1 error=17', 'attached already');
    t.equal(await ask(5, 65534), '6 65534 error=0');
    t.equal(await ask(7, 1, 0, path), '8 1 sectors=4096 size=512 info=0');
    t.equal(await ask(7, 1, 0, path), '1 1 error=114', 'open already');
    t.equal(await ask(7, 65534, 2, 'held:a'), '8 65534 sectors=2048 size=512 info=0');
    t.equal(await ask(7, 2, 0, path), '1 2 error=22', 'no such minor');
    t.equal(await ask(17, 65535), '18 65535 minors=1,65534');
    t.equal(await ask(9, 1), '10 1 error=0');
    t.equal(
      await ask(19, 65535),
      [
        `20 65535 count=2 minor=1 state=2a path=${path}`,
        '20 65535 count=1 minor=65534 state=0 path=held:a',
        '20 65535 count=0 minor=-1 state=0 path=',
      ].join('\n'),
    );
    t.equal(await ask(11, 1, 0, ''), '12 1 error=0');
    t.equal(await ask(11, 1, 0, ''), '12 1 error=22', 'not paused any more');
    t.equal(await ask(15, 1), '16 1 error=16', 'detach of an open VBD');
    t.equal(await ask(13, 1), '14 1 error=0');
    t.equal(await ask(15, 1), '16 1 error=0');
    t.equal(await ask(15, 1), '16 1 error=22', 'detached already');
    t.equal(await ask(21, 65534), '1 65534 error=22', 'FORCE_SHUTDOWN');
    t.equal(await ask(4242, 0), '1 0 error=22', 'no such type');
    t.equal(await ask(5, 3), '6 3 error=0');
    t.equal(await ask(7, 3, 0, `ram:${'1'.repeat(300)}`), '1 3 error=22', 'a path without an end');
  },
);

t.test('a list of 256 VBDs arrives in messages of one read each', { skip: withoutCompiler }, async (t) => {
  const world = controlWorld(t);
  for (let minor = 0; minor < 256; minor++) world.registry.attach(minor);
  const { stdout } = await run(client, [world.control.path, '19', '65535']);
  const lines = stdout.trimEnd().split('\n');
  t.equal(lines.length, 257);
  t.equal(lines[0], '20 65535 count=256 minor=0 state=2 path=');
  t.equal(lines[255], '20 65535 count=1 minor=255 state=2 path=');
});
