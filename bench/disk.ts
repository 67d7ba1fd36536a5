// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A disk in a file, served over NBD by the daemon and by other servers in turn, under fio's load: `npm run bench:disk`.
// Needs fio; servers that are not installed are left out, which is told.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../scripts/program-path.js';
import { programArguments } from '../scripts/program.js';
import { median } from './median.js';

const DISK_BYTES = 256 << 20;
const ROUNDS = 7;
const SECONDS_A_ROUND = 2;
const LOADS = [
  { name: '4 KiB, 16 at once', blockSize: '4k', depth: 16 },
  { name: '4 KiB, one at a time', blockSize: '4k', depth: 1 },
  { name: '64 KiB, 16 at once', blockSize: '64k', depth: 16 },
] as const;

interface NbdProgram {
  readonly name: string;
  /** The command that serves `image` on the Unix socket until it is killed. */
  readonly command: (image: string, socket: string) => readonly [string, ...string[]];
}

const PROGRAMS: readonly NbdProgram[] = [
  {
    name: 'tapdisk-ts',
    command: (image, socket) => [
      process.execPath,
      ...programArguments('src/cli/main.ts'),
      'daemon',
      ...['--control-directory', path.dirname(socket), '--disk', `0=aio:${image}`, '--nbd', socket],
    ],
  },
  {
    name: 'qemu-nbd',
    command: (image, socket) => [
      'qemu-nbd',
      ...['--persistent', '--shared=4', '--format=raw', '--cache=writeback', `--socket=${socket}`, image],
    ],
  },
  {
    name: 'nbdkit',
    command: (image, socket) => ['nbdkit', '--foreground', '--unix', socket, 'file', image],
  },
];

/** A server that accepts connections. */
async function start(program: NbdProgram, image: string, socket: string): Promise<ChildProcess> {
  const [command, ...args] = program.command(image, socket);
  const child = spawn(command, args, { stdio: 'ignore' });
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`${program.name} ended with ${child.exitCode}`);
    await delay(20);
  }
  return child;
}

/** Requests a second, reads and writes in equal parts, at random places. */
async function round(socket: string, { blockSize, depth }: (typeof LOADS)[number]): Promise<number> {
  const job = ['--name=bench', '--ioengine=nbd', `--uri=nbd+unix:///?socket=${socket}`, '--rw=randrw'];
  const load = [`--bs=${blockSize}`, `--iodepth=${depth}`, `--size=${DISK_BYTES}`];
  const time = [`--runtime=${SECONDS_A_ROUND}`, '--time_based', '--output-format=json'];
  const fio = spawn('fio', [...job, ...load, ...time], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  fio.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(fio, 'close')) as [number | null];
  if (status !== 0) throw new Error(`fio ended with ${status}: ${output}`);
  const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as {
    jobs: { error: number; read: { iops: number }; write: { iops: number } }[];
  };
  const [result] = report.jobs;
  if (result === undefined || result.error !== 0) throw new Error(`fio reports an error: ${output}`);
  return result.read.iops + result.write.iops;
}

async function bench(directory: string): Promise<void> {
  const programs = PROGRAMS.filter(({ name }) => {
    const there = name === 'tapdisk-ts' || programPath(name) !== undefined;
    if (!there) console.log(`${name} is not installed, and left out`);
    return there;
  });
  const servers = await Promise.all(
    programs.map(async (program) => {
      const home = path.join(directory, program.name);
      const image = `${home}.img`;
      writeFileSync(image, '');
      truncateSync(image, DISK_BYTES);
      const socket = `${home}.sock`;
      return { name: program.name, socket, child: await start(program, image, socket) };
    }),
  );
  try {
    console.log(`requests a second, median of ${ROUNDS} interleaved rounds of ${SECONDS_A_ROUND} s`);
    for (const load of LOADS) {
      const rates = new Map<string, number[]>(servers.map(({ name }) => [name, []]));
      for (let count = -1; count < ROUNDS; count++) {
        for (const { name, socket } of servers) {
          const rate = await round(socket, load);
          if (count >= 0) rates.get(name)?.push(rate);
        }
      }
      const told = [...rates].map(([name, all]) => `${name} ${median(all).toFixed(0)}`);
      console.log(`  ${load.name.padEnd(22)}${told.join('  ')}`);
    }
  } finally {
    for (const { child } of servers) {
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    }
  }
}

if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');
const memory = '/dev/shm';
const directory = mkdtempSync(path.join(existsSync(memory) ? memory : tmpdir(), 'tapdisk-ts-bench-'));
try {
  await bench(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
