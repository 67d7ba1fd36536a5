// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// An image sent by `primary` and received by `backup` over the loopback, beside a pipeline of Node's streams that hashes as
// they do, with buffers of 1 MiB: `npm run bench:transfer [-- --rounds N --mib N]`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../scripts/free-port.js';
import { programArguments } from '../scripts/program.js';
import { scriptOptions, wholeOption } from '../scripts/script-options.js';
import { packageFile } from '../src/server/package-file.js';
import { median } from './median.js';

/** The program as the package contains it. */
const PROGRAM = packageFile('dist/program/main.js');

const USAGE = `npm run bench:transfer [-- --rounds N] [--mib N]

  --rounds N  how often everything is measured; the middle counts (default: 7)
  --mib N     size of the image in MiB (default: 512)`;
const { values } = scriptOptions(USAGE, {
  options: { rounds: { type: 'string', default: '7' }, mib: { type: 'string', default: '512' } },
});
const rounds = wholeOption('--rounds', values.rounds, 1000);
const mib = wholeOption('--mib', values.mib, 1 << 20);

interface Way {
  readonly name: string;
  readonly receiver: (port: number, file: string) => readonly string[];
  readonly sender: (port: number, file: string) => readonly string[];
}

const pipeline = programArguments('bench/transfer-pipeline.ts');
const WAYS: readonly Way[] = [
  {
    name: 'tapdisk-ts',
    receiver: (port, file) => [PROGRAM, 'backup', '--once', '--output', file, `127.0.0.1:${port}`],
    sender: (port, file) => [PROGRAM, 'primary', '--input', file, `127.0.0.1:${port}`],
  },
  {
    name: 'pipeline',
    receiver: (port, file) => [...pipeline, 'receive', `${port}`, file],
    sender: (port, file) => [...pipeline, 'send', `${port}`, file],
  },
];

/** Fulfilled when it has ended well. */
function start(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const end = async (): Promise<void> => {
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`${args.slice(-3).join(' ')} ended with ${status}: ${errors}`);
  };
  return end();
}

/** Seconds from the sender's start, its processes' start included, until both have ended. */
async function seconds(way: Way, image: string, copy: string): Promise<number> {
  const port = await freePort();
  const receiver = start(way.receiver(port, copy));
  // It has to listen: a sender that is refused would wait before it tries again.
  await delay(1000);
  const began = performance.now();
  const sender = start(way.sender(port, image));
  await Promise.all([receiver, sender]);
  rmSync(copy);
  return (performance.now() - began) / 1000;
}

const memory = '/dev/shm';
const directory = mkdtempSync(path.join(existsSync(memory) ? memory : tmpdir(), 'tapdisk-ts-bench-'));
try {
  const image = path.join(directory, 'image');
  const fd = openSync(image, 'w', 0o600);
  for (let part = 0; part < mib; part++) writeSync(fd, Buffer.alloc(2 ** 20, part + 1));
  closeSync(fd);
  const times = new Map<string, number[]>(WAYS.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const way of WAYS) {
      const time = await seconds(way, image, path.join(directory, 'copy'));
      if (round >= 0) times.get(way.name)?.push(time);
    }
  }
  console.log(`${mib} MiB, medians of ${rounds} interleaved rounds, processes' start included`);
  const rates = [...times].map(([name, all]) => ({ name, rate: mib / median(all) }));
  for (const { name, rate } of rates) console.log(`  ${name.padEnd(12)}${rate.toFixed(0).padStart(6)} MiB/s`);
  const [ours, theirs] = rates;
  if (ours && theirs) console.log(`  ${(ours.rate / theirs.rate).toFixed(2)}× the pipeline`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
