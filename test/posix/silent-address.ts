// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Test } from 'tap';

/** An address of this host where connects get no answer, see {@link silence}. */
export const SILENT = '127.0.0.3';

/** Leaves connects to a port of {@link SILENT} without an answer: its listener is stopped, and the queue is full. */
export async function silence(t: Pick<Test, 'teardown'>, port: number): Promise<void> {
  const options = JSON.stringify({ host: SILENT, port, backlog: 1 });
  const source = `require('node:net').createServer().listen(${options}, () => process.stdout.write('.'))`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  // The queue holds one more than the backlog says.
  const queued = Array.from({ length: 2 }, () => connect({ host: SILENT, port }).on('error', () => {}));
  t.teardown(() => {
    child.kill('SIGKILL');
    for (const socket of queued) socket.destroy();
  });
  await Promise.all(queued.map((socket) => once(socket, 'connect')));
}
