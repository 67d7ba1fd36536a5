// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loader, moduleUrl } from '../scripts/program.js';
import { smallFileSystem } from './small-file-system.js';

const isMounted = (directory: string): boolean =>
  readFileSync('/proc/self/mounts', 'utf8').includes(` ${directory} tmpfs `);

t.test('a small file system goes away with the process that made it, even if that is killed', async (t) => {
  const directory = t.testdir();
  const remove = smallFileSystem(directory, '1m');
  if (typeof remove === 'string') return void t.pass(`left out: ${remove}`, { skip: true });
  t.ok(isMounted(directory));
  remove();
  t.notOk(isMounted(directory));

  const program = `import { smallFileSystem } from ${JSON.stringify(moduleUrl('test/small-file-system.ts'))};
    smallFileSystem(${JSON.stringify(directory)}, '1m');
    console.log('mounted');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [...loader, '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  t.ok(isMounted(directory));
  child.kill('SIGKILL');
  while (isMounted(directory)) await new Promise((resolve) => setImmediate(resolve));
  t.pass('it is gone');
});
