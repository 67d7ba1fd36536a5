// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { execFile } from 'node:child_process';
import t from 'tap';
import { programArguments } from '../../../scripts/program.js';
import { root } from '../../../scripts/repository-files.js';
import { CONNECT_SECONDS } from '../../../src/testing/index.js';

// Seconds as a rule; much longer where other things run beside it.
t.setTimeout(180_000);

/** Runs the command as its user does, in a process of its own. */
function simulateSeeds(seeds: string): Promise<{ exit: number | string; stdout: string; stderr: string }> {
  const args = [...programArguments('src/cli/main.ts'), 'simulate', '--seeds', seeds];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root }, (error, stdout, stderr) => {
      resolve({ exit: error === null ? 0 : (error.code ?? error.signal ?? error.message), stdout, stderr });
    });
  });
}

t.test('1,000 seeds of random faults break no invariant', async (t) => {
  const { exit, stdout, stderr } = await simulateSeeds('1..1000');
  t.match(stdout, /(?:^|\n)1000 passed, 0 failed\n$/);
  t.equal(stderr, '');
  t.equal(exit, 0);
  const slowest = Number(/^slowest .*: (\d+\.\d+) s of virtual time/m.exec(stdout)?.[1]);
  t.ok(
    slowest > 2 && slowest < CONNECT_SECONDS,
    `the faults were not without effect: ${slowest} s to connect`,
  );
});
