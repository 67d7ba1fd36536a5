// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// Reads a file that is named on the command line many times, several calls at once, through two users of file calls; prints
// as JSON the results that were seen, and what was warned of.

import { openSync } from 'node:fs';
import { RingFiles } from '../../../../src/posix/node/file-ring/ring-files.js';
import { sharedBuffers } from '../../../../src/posix/node/shared-buffers.js';

const [, , path = ''] = process.argv;
const fd = openSync(path, 'r');
const lines: string[] = [];
const results = new Set<number>();
for (let user = 0; user < 2; user++) {
  const tasks = {
    post: setImmediate,
    addSource: (reap: (limit: number) => number) => () => setImmediate(reap, 8),
  };
  const files = new RingFiles(tasks, (line) => void lines.push(line));
  for (let turn = 0; turn < 50; turn++) {
    const buffers = [sharedBuffers.take(4096), sharedBuffers.take(4096)];
    const reads = buffers.map(
      (buffer, index) =>
        new Promise<number>((resolve) => {
          files.read(fd, buffer, index * 8192, resolve);
        }),
    );
    for (const result of await Promise.all(reads)) results.add(result);
    for (const buffer of buffers) sharedBuffers.give(buffer);
  }
}
console.log(JSON.stringify({ results: [...results], lines }));
