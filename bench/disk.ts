// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A disk in a file, and one in memory, served over NBD by the daemon and by other servers in turn, under fio's load; then a
// copy of a large image that is mostly holes: `npm run bench:disk [-- --rounds N --seconds S --only PART]`. Needs fio and, for
// the copy, nbdcopy; servers that are not installed are left out, which is told.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programPath } from '../scripts/program-path.js';
import { positiveOption, scriptOptions, usageError, wholeOption } from '../scripts/script-options.js';
import { type Load, round, type Round } from './disk/fio.js';
import { DISK_MIB, FILE_PROGRAMS, MEMORY_PROGRAMS, type NbdProgram, Server } from './disk/programs.js';
import { median } from './median.js';

const PATTERNS = ['randread', 'randwrite', 'randrw'] as const;
const sizes = [
  { kib: 4, depth: 1 },
  { kib: 4, depth: 16 },
  { kib: 64, depth: 16 },
];
const FILE_LOADS: readonly Load[] = sizes.flatMap((size) =>
  PATTERNS.map((pattern) => ({ pattern, ...size })),
);
const MEMORY_LOADS: readonly Load[] = PATTERNS.map((pattern) => ({ pattern, kib: 4, depth: 16 }));

const USAGE = `npm run bench:disk [-- --rounds N] [--seconds N] [--only NAME]

  --rounds N   how often everything is measured; the middle counts (default: 7)
  --seconds N  of each load (default: 2)
  --only NAME  one part: file, memory or copy`;
const { values } = scriptOptions(USAGE, {
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});
const rounds = wholeOption('--rounds', values.rounds, 1000);
const seconds = positiveOption('--seconds', values.seconds);

/** Its size at once, its bytes as they are written. */
function blankImage(file: string, mib: number): void {
  closeSync(openSync(file, 'w', 0o600));
  truncateSync(file, mib * 2 ** 20);
}

/** Every byte written, so that nothing is a hole. */
function fullImage(file: string): void {
  const fd = openSync(file, 'w', 0o600);
  for (let mib = 0; mib < DISK_MIB; mib++) writeSync(fd, Buffer.alloc(2 ** 20, mib + 1));
  closeSync(fd);
}

const SPARSE_MIB = 8 << 10;
const DATA_MIB = 16;

/** 8 GiB with 16 MiB of data, one at a time and far apart. */
function sparseImage(file: string): void {
  blankImage(file, SPARSE_MIB);
  const fd = openSync(file, 'r+');
  for (let part = 0; part < DATA_MIB; part++) {
    writeSync(fd, Buffer.alloc(2 ** 20, part + 1), 0, 2 ** 20, (part * SPARSE_MIB * 2 ** 20) / DATA_MIB);
  }
  closeSync(fd);
}

/** Takes the figures of all servers in turn, round after round, the first of which is to warm up. */
async function interleaved<Figure>(
  servers: readonly Server[],
  take: (server: Server) => Promise<Figure>,
): Promise<Map<string, Figure[]>> {
  const figures = new Map<string, Figure[]>(servers.map(({ name }) => [name, []]));
  for (let count = -1; count < rounds; count++) {
    for (const server of servers) {
      const figure = await take(server);
      if (count >= 0) figures.get(server.name)?.push(figure);
    }
  }
  return figures;
}

async function underLoads(
  directory: string,
  programs: readonly NbdProgram[],
  loads: readonly Load[],
): Promise<void> {
  const servers = await Server.startAll(programs, directory, fullImage);
  try {
    for (const load of loads) {
      const figures = await interleaved(servers, (server) => round(server, load, seconds));
      const told = [...figures].map(([name, all]) => {
        const of = (figure: (round: Round) => number): number => median(all.map(figure));
        const rate = of(({ requestsPerSecond }) => requestsPerSecond);
        const time = of(({ processorMicroseconds }) => processorMicroseconds);
        return { name, rate, time };
      });
      const [ours] = told;
      console.log(`  ${load.pattern}, ${load.kib} KiB, ${load.depth} at once`);
      for (const { name, rate, time } of told) {
        const ratio =
          ours === undefined || name === ours.name
            ? ''
            : `  ours: ${(ours.rate / rate).toFixed(2)}× the rate, ${(ours.time / time).toFixed(2)}× the processor time`;
        console.log(
          `    ${name.padEnd(16)}${rate.toFixed(0).padStart(8)}${time.toFixed(1).padStart(8)} µs${ratio}`,
        );
      }
    }
  } finally {
    for (const server of servers) await server.end();
  }
}

async function copy({ socket }: Server): Promise<number> {
  const start = performance.now();
  const child = spawn('nbdcopy', [`nbd+unix:///?socket=${socket}`, 'null:'], { stdio: 'inherit' });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`nbdcopy ended with ${status}`);
  return performance.now() - start;
}

async function copies(directory: string): Promise<void> {
  const servers = await Server.startAll(FILE_PROGRAMS, directory, sparseImage);
  try {
    const figures = await interleaved(servers, copy);
    for (const [name, all] of figures)
      console.log(`    ${name.padEnd(16)}${median(all).toFixed(0).padStart(8)} ms`);
  } finally {
    for (const server of servers) await server.end();
  }
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const memory = '/dev/shm';
  const parent = existsSync(memory) ? memory : tmpdir();
  const directory = mkdtempSync(path.join(parent, 'tapdisk-ts-bench-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function copyPart(): Promise<void> {
  if (programPath('nbdcopy') === undefined) {
    console.log('nbdcopy is not installed, and the copy left out');
    return;
  }
  console.log(`  nbdcopy of ${SPARSE_MIB >> 10} GiB with ${DATA_MIB} MiB of data to nowhere`);
  await inDirectory(copies);
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  file: () => inDirectory((directory) => underLoads(directory, FILE_PROGRAMS, FILE_LOADS)),
  memory: () => inDirectory((directory) => underLoads(directory, MEMORY_PROGRAMS, MEMORY_LOADS)),
  copy: copyPart,
};
if (values.only !== undefined && parts[values.only] === undefined) {
  usageError(`--only is ${values.only}, but must be one of ${Object.keys(parts).join(', ')}`);
}
if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');
console.log(
  `medians of ${rounds} interleaved rounds of ${seconds} s: requests a second, processor time a request`,
);
for (const [name, part] of Object.entries(parts)) {
  if (values.only === undefined || values.only === name) await part();
}
