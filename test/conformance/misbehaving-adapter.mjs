// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// An adapter that does to each script what the script's name says.

import { createInterface } from 'node:readline';

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const deeds = {
  good: ({ id }) => say({ id, trace: [] }),
  echo: ({ id, ...script }) => say({ id, error: JSON.stringify(script) }),
  'says-it-with-a-byte-order-mark': ({ id }) =>
    process.stdout.write(`\uFEFF${JSON.stringify({ id, trace: [] })}\n`),
  differs: ({ id }) => say({ id, trace: [['wait', 1]] }),
  exits: () => {
    process.stderr.write('out of cheese\n');
    process.exitCode = 3;
    process.stdin.destroy();
  },
  'is-killed': () => process.kill(process.pid, 'SIGKILL'),
  hangs: () => {},
  'closes-its-output': () => process.stdout.destroy(),
  'says-garbage': () => process.stdout.write('Segmentation fault\n'),
  'says-no-object': () => say([]),
  'says-another-id': ({ id }) => say({ id: id + 1, trace: [] }),
  'says-no-trace': ({ id }) => say({ id }),
  'says-half-a-trace': ({ id }) => say({ id, trace: ['wait'] }),
  'says-error': ({ id }) => say({ id, error: 'unknown step' }),
  'says-error-oddly': ({ id }) => say({ id, error: { code: 5 } }),
  'says-its-number': ({ id }) => say({ id, error: `process ${process.pid}` }),
  'says-skip': ({ id }) => say({ id, skip: 'not here' }),
  'says-too-much': ({ id }) => process.stdout.write(`${JSON.stringify({ id, trace: [] })}\nand more\n`),
  'never-ends-a-line': () => process.stdout.write('x'.repeat(2 ** 24 + 1)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const script = JSON.parse(line);
  deeds[script.name](script);
}
// It outlives the end of its input when it is told so.
if (process.argv[2] === 'stays') setInterval(() => {}, 2 ** 30);
