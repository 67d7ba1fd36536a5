// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// The part of `npm run nightly` about memory: what a daemon takes before, during and after a load.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AF_UNIX } from '../src/posix/index.js';
import { RawClient, request } from '../test/nbd/raw-client.js';
import { programArguments } from './program.js';

const READERS = 60;
const READ_BYTES = 4 << 20;
const READS = 8;
const IDLE_SECONDS = 30;
/** What it may take after so long, of what it took at its start. */
const MAX_RATIO = 1.5;

/** Whether an idle daemon gives back what a load took; says what it has measured. */
export async function runMemoryNightly(): Promise<boolean> {
  const directory = mkdtempSync(path.join(tmpdir(), 'memory-'));
  const socket = path.join(directory, 'nbd');
  const argv = ['daemon', '--control-directory', directory, '--disk', '0=ram:16', '--nbd', socket];
  const daemon = spawn(process.execPath, [...programArguments('src/cli/main.ts'), ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(daemon, 'exit');
  try {
    await once(daemon.stdout, 'data');
    await delay(1000);
    const start = residentMib(daemon.pid);
    const most = await load(socket, () => residentMib(daemon.pid));
    await delay(IDLE_SECONDS * 1000);
    const after = residentMib(daemon.pid);
    const ratio = after / start;
    console.log(
      `resident memory of a daemon: ${start} MiB at its start, ${most} MiB with ${READERS} readers half of which take nothing, ${after} MiB after ${IDLE_SECONDS} s: ${ratio.toFixed(2)} of the start`,
    );
    return ratio < MAX_RATIO;
  } finally {
    daemon.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Has readers ask for much, every other one of which takes nothing, and go; the most that was measured. */
async function load(socket: string, measured: () => number): Promise<number> {
  const readers: RawClient[] = [];
  let most = 0;
  for (let index = 0; index < READERS; index++) {
    const reader = await new RawClient({ family: AF_UNIX, path: socket }).go('0');
    if (index % 2 === 0) reader.socket.pause();
    for (let count = 0; count < READS; count++) reader.send(request(0, { length: READ_BYTES }));
    readers.push(reader);
  }
  for (let look = 0; look < 50; look++) {
    await delay(100);
    most = Math.max(most, measured());
  }
  for (const reader of readers) reader.destroy();
  return most;
}

function residentMib(pid: number | undefined): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Math.round(Number(kib) / 1024);
}
