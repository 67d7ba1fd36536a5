// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Reads a file that is named on the command line many times, several calls at once, through two users of file calls; prints
// as JSON the results that were seen, and what was warned of. With a second argument each call of a thread takes so many
// milliseconds, and it goes on until one did.

import { openSync } from 'node:fs';
import { moduleFile } from '../../../../scripts/program.js';
import { RingHost } from '../../../../src/posix/node/file-ring/ring-host.js';
import { threadStarter } from '../../../../src/posix/node/file-ring/thread-handle.js';
import { nodeTimers } from '../../../../src/posix/timers.js';
import { RingFiles } from '../../../../src/posix/node/file-ring/ring-files.js';
import { sharedBuffers } from '../../../../src/posix/node/shared-buffers.js';

/** held-thread.ts's word. */
const DELAY_MS_WORD = 1;

const [, , path = '', delayMs] = process.argv;
const host = delayMs === undefined ? undefined : slowHost(Number(delayMs));
const fd = openSync(path, 'r');
const lines: string[] = [];
const results = new Set<number>();
for (let user = 0; user < 2; user++) {
  const tasks = {
    post: setImmediate,
    addSource: (reap: (limit: number) => number) => () => setImmediate(reap, 8),
  };
  const files = new RingFiles(tasks, (line) => void lines.push(line), host);
  let longestMs = 0;
  for (let turn = 0; turn < 50 || longestMs < Number(delayMs ?? 0); turn++) {
    const started = performance.now();
    const buffers = [sharedBuffers.take(4096), sharedBuffers.take(4096)];
    const reads = buffers.map(
      (buffer, index) =>
        new Promise<number>((resolve) => {
          files.read(fd, buffer, index * 8192, resolve);
        }),
    );
    for (const result of await Promise.all(reads)) results.add(result);
    longestMs = Math.max(longestMs, performance.now() - started);
    for (const buffer of buffers) sharedBuffers.give(buffer);
  }
}
console.log(JSON.stringify({ results: [...results], lines }));

function slowHost(milliseconds: number): RingHost {
  const control = new SharedArrayBuffer(16);
  new Int32Array(control)[DELAY_MS_WORD] = milliseconds;
  const started = threadStarter(moduleFile('test/posix/node/file-ring/held-thread.ts'));
  return new RingHost(sharedBuffers, nodeTimers, (data, listener) =>
    started({ ...data, control } as typeof data, listener),
  );
}
