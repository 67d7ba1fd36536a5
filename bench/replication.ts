// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// A disk without and with a backup, side by side, under fio's load over NBD: `npm run bench:replication`. All images are in
// memory; primary, backup and the load share the machine's processors. Needs fio.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../scripts/program-path.js';
import { programArguments } from '../scripts/program.js';
import { runFio } from './fio.js';
import { median } from './median.js';

const DISK_BYTES = 128 << 20;
const ROUNDS = 5;
const SECONDS_A_ROUND = 2;
/** Where images are in memory. */
const MEMORY = '/dev/shm';

const LOADS = [
  { name: 'write 64 KiB, 16 at once, MiB/s', args: ['--rw=randwrite', '--bs=64k', '--iodepth=16'], of: 'bw' },
  {
    name: 'write 64 KiB sequential, 16 at once, MiB/s',
    args: ['--rw=write', '--bs=64k', '--iodepth=16'],
    of: 'bw',
  },
  {
    name: 'write 4 KiB, 1 at a time, p50 in us',
    args: ['--rw=randwrite', '--bs=4k', '--iodepth=1'],
    of: 'p50',
  },
  {
    name: 'write 4 KiB and flush, p50 of both in us',
    args: ['--rw=randwrite', '--bs=4k', '--iodepth=1', '--fsync=1'],
    of: 'sync',
  },
] as const;
type Load = (typeof LOADS)[number];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** A daemon with one disk, listening on its socket. */
async function daemon(home: string, name: string): Promise<{ child: ChildProcess; socket: string }> {
  const socket = `${home}.sock`;
  const args = ['daemon', '--control-directory', path.dirname(home), '--disk', `0=${name}`, '--nbd', socket];
  const child = spawn(
    process.execPath,
    [...programArguments('src/cli/main.ts'), ...args, '--log-level', 'warning'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`the daemon of ${name} ended with ${child.exitCode}`);
    await delay(20);
  }
  return { child, socket };
}

function image(directory: string, name: string): string {
  const file = path.join(directory, `${name}.img`);
  writeFileSync(file, '');
  truncateSync(file, DISK_BYTES);
  return file;
}

async function round(socket: string, load: Load): Promise<number> {
  const time = [`--size=${DISK_BYTES}`, `--runtime=${SECONDS_A_ROUND}`, '--time_based'];
  const { write, sync } = await runFio(socket, ...load.args, ...time);
  const writeMicroseconds = (write.clat_ns.percentile?.['50.000000'] ?? 0) / 1000;
  if (load.of === 'bw') return write.bw_bytes / 2 ** 20;
  if (load.of === 'p50') return writeMicroseconds;
  return writeMicroseconds + (sync.lat_ns.percentile?.['50.000000'] ?? 0) / 1000;
}

async function bench(directory: string): Promise<void> {
  const children: ChildProcess[] = [];
  const started = async (name: string, disk: string): Promise<string> => {
    const { child, socket } = await daemon(path.join(directory, name), disk);
    children.push(child);
    return socket;
  };
  try {
    const sides = new Map<string, string>();
    sides.set('alone', await started('alone', `aio:${image(directory, 'alone')}`));
    for (const flush of ['off', 'require']) {
      const address = `127.0.0.1:${await freePort()}`;
      const options = `${address},role=backup`;
      await started(`backup-${flush}`, `remus:${options}|aio:${image(directory, `backup-${flush}`)}`);
      const primary = `remus:${address},role=primary,commit-on-flush=${flush}|aio:${image(directory, `primary-${flush}`)}`;
      sides.set(`replicated, commit-on-flush ${flush}`, await started(`primary-${flush}`, primary));
    }
    await delay(1000);
    console.log(`median of ${ROUNDS} interleaved rounds of ${SECONDS_A_ROUND} s`);
    for (const load of LOADS) {
      const found = new Map<string, number[]>([...sides.keys()].map((name) => [name, []]));
      for (let count = -1; count < ROUNDS; count++) {
        for (const [name, socket] of sides) {
          const value = await round(socket, load);
          if (count >= 0) found.get(name)?.push(value);
        }
      }
      console.log(`  ${load.name}`);
      const base = median(found.get('alone') ?? []);
      for (const [name, values] of found) {
        console.log(
          `    ${name.padEnd(40)}${median(values).toFixed(1)}  (${(median(values) / base).toFixed(2)})`,
        );
      }
    }
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    }
  }
}

if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');
const directory = mkdtempSync(path.join(MEMORY, 'tapdisk-ts-bench-'));
try {
  await bench(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
