// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { programArguments } from '../../../../scripts/program.js';
import { run } from '../../../programs.js';

const program = programArguments('test/posix/node/file-ring/permission-program.ts');

/** The option's name since Node 22, or before. */
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

interface Outcome {
  readonly results: number[];
  readonly lines: string[];
}

async function reported(
  t: Test,
  options: readonly string[] = [],
  ...args: readonly string[]
): Promise<Outcome> {
  const file = path.join(t.testdir({}), 'image');
  writeFileSync(file, Buffer.alloc(16 << 10));
  const { stdout } = await run(process.execPath, [...options, ...program, file, ...args]);
  return JSON.parse(stdout) as Outcome;
}

t.test('without permission for threads calls still work, and the reason is logged once', async (t) => {
  const { results, lines } = await reported(t, [permission, '--allow-fs-read=*']);
  t.strictSame(results, [4096]);
  t.equal(lines.length, 1);
  t.match(lines, [/^file calls use Node's thread pool, since threads of their own are not available: /]);
});

t.test('without SharedArrayBuffer calls still work, and the reason is logged once', async (t) => {
  const absent = 'data:text/javascript,delete globalThis.SharedArrayBuffer; delete globalThis.WebAssembly;';
  const { results, lines } = await reported(t, ['--import', absent]);
  t.strictSame(results, [4096]);
  t.equal(lines.length, 1);
  t.match(lines, [/not available: SharedArrayBuffer is not defined$/]);
});

t.test('where threads are allowed nothing is logged, and the process ends on its own', async (t) => {
  t.strictSame(await reported(t), { results: [4096], lines: [] });
  t.strictSame(await reported(t, [permission, '--allow-fs-read=*', '--allow-worker']), {
    results: [4096],
    lines: [],
  });
});

t.test('a process does not end before its calls have, however long a thread takes', async (t) => {
  t.strictSame(await reported(t, [], '50'), { results: [4096], lines: [] });
});
