// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loader, moduleUrl } from '../../../scripts/program.js';
import { run } from '../../programs.js';
import { shortDirectory } from '../../short-directory.js';

/** How a program ends that exits with status 3 after this. */
function endAfter(t: Test, code: string): number | NodeJS.Signals | null {
  const program = `
    import { open } from 'node:fs';
    import { exitNow } from ${JSON.stringify(moduleUrl('src/posix/node/exit-now.ts'))};
    process.on('exit', () => console.log('exiting'));
    ${code}
    setImmediate(() => exitNow(3));
  `;
  const args = [...loader, '--input-type=module', '--eval', program];
  const { status, signal, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  t.equal(stdout, 'exiting\n', 'what is to be done at its exit is done');
  return signal ?? status;
}

t.test('a process exits with its status', async (t) => {
  t.equal(endAfter(t, ''), 3);
});

t.test('a process whose file call hangs is killed as it exits', async (t) => {
  const fifo = join(shortDirectory(t), 'fifo');
  run('mkfifo', [fifo]);
  t.equal(endAfter(t, `open(${JSON.stringify(fifo)}, 'r', () => {});`), 'SIGKILL');
});
