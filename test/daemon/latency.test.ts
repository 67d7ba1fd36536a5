// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { programArguments } from '../../scripts/program.js';
import { shortDirectory } from '../short-directory.js';
import { answersInTime } from './answers-in-time.js';

/** A process that has printed something that matches. */
async function started(t: Test, program: string, argv: string[], told: RegExp): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...programArguments(`test/daemon/${program}`), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      output += text.toString();
      if (told.test(output)) resolve();
    });
    child.on('exit', () => reject(new Error(`${program} ended: ${output}`)));
  });
  return child;
}

t.setTimeout(120_000);

t.test(
  '99 of 100 control requests are answered within 10 ms beside a loaded disk and a replication client that retries',
  async (t) => {
    const directory = shortDirectory(t);
    const image = join(directory, 'image');
    const socket = join(directory, 'nbd');
    writeFileSync(image, '');
    truncateSync(image, 64 << 20);
    const { pid = 0 } = await started(
      t,
      'busy-program.ts',
      [directory, socket, image],
      /returned 111.*returned 111/s,
    );
    await started(t, 'load-program.ts', [socket], /ready/);
    await answersInTime(t, join(directory, `ctl${pid}`), pid);
  },
);
