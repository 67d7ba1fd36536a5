// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// VHDs beside raw files, served over NBD by the daemon, and by qemu-nbd where it can, under fio's load, on the file system of
// the temporary directory: `npm run bench:vhd`. Needs fio.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../scripts/program-path.js';
import { programArguments } from '../scripts/program.js';
import { runFio } from './fio.js';
import { median } from './median.js';

const MIB = 1 << 20;
const DISK_BYTES = 256 * MIB;
const CHAIN_DEPTH = 10;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);

/** What is served: the first one is what the others are compared with. */
type Target = 'aio' | 'vhd' | 'vhd, early answers' | 'qemu-nbd vpc';

interface Load {
  readonly name: string;
  readonly fio: readonly string[];
  /** How the disks are before: nothing in them, all written, or a chain whose images have a part of it each. */
  readonly content: 'fresh' | 'written' | 'chain';
  readonly targets: readonly Target[];
  /** What the ratio to the raw file is to be. */
  readonly goal: number;
}

const ALL: readonly Target[] = ['aio', 'vhd', 'vhd, early answers', 'qemu-nbd vpc'];
const OURS: readonly Target[] = ['aio', 'vhd'];
const timed = ['--time_based', '--runtime=2'];

const LOADS: readonly Load[] = [
  {
    name: 'reads of allocated blocks, 4 KiB, 16 at once',
    fio: ['--rw=randread', '--bs=4k', '--iodepth=16', ...timed],
    content: 'written',
    targets: ['aio', 'vhd', 'qemu-nbd vpc'],
    goal: 0.9,
  },
  {
    name: 'writes of allocated blocks, 4 KiB, 16 at once',
    fio: ['--rw=randwrite', '--bs=4k', '--iodepth=16', ...timed],
    content: 'written',
    targets: ['aio', 'vhd', 'qemu-nbd vpc'],
    goal: 0.9,
  },
  {
    name: 'reads and writes of allocated blocks, 64 KiB, 16 at once',
    fio: ['--rw=randrw', '--bs=64k', '--iodepth=16', ...timed],
    content: 'written',
    targets: ['aio', 'vhd', 'qemu-nbd vpc'],
    goal: 0.9,
  },
  {
    name: 'sequential writes to a fresh image, 64 KiB, 16 at once',
    fio: ['--rw=write', '--bs=64k', '--iodepth=16'],
    content: 'fresh',
    targets: ALL,
    goal: 0.7,
  },
  {
    name: 'first writes at random places, 4 KiB, 16 at once',
    fio: ['--rw=randwrite', '--bs=4k', '--iodepth=16', '--io_size=40m'],
    content: 'fresh',
    targets: ALL,
    goal: 0.5,
  },
  {
    name: 'first writes at random places, 4 KiB, 128 at once',
    fio: ['--rw=randwrite', '--bs=4k', '--iodepth=128', '--io_size=80m'],
    content: 'fresh',
    targets: ALL,
    goal: 0.5,
  },
  {
    name: 'a flush after each write, 4 KiB at random places',
    fio: ['--rw=randwrite', '--bs=4k', '--iodepth=1', '--fsync=1', '--io_size=2m'],
    content: 'fresh',
    targets: ALL,
    goal: 0.4,
  },
  {
    name: `reads through a chain of ${CHAIN_DEPTH}, 4 KiB, 16 at once`,
    fio: ['--rw=randread', '--bs=4k', '--iodepth=16', ...timed],
    content: 'chain',
    targets: OURS,
    goal: 0.8,
  },
];

const main = programArguments('src/cli/main.ts');

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
}
const vhd = (...args: string[]): void => run(process.execPath, ...main, 'vhd', ...args);

/** A raw file with a part of it written, so that it has blocks there and holes elsewhere. */
function makeRaw(file: string, from: number, to: number): void {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, DISK_BYTES);
  const piece = Buffer.alloc(MIB, 0x5a);
  for (let at = from; at < to; at += MIB) writeSync(fd, piece, 0, MIB, at);
  closeSync(fd);
}

/** The image of a target, as the load wants it; returns the file to serve. */
function makeImage(directory: string, target: Target, content: Load['content']): string {
  const raw = path.join(directory, 'disk.raw');
  const image = path.join(directory, 'disk.vhd');
  if (target === 'aio') {
    makeRaw(raw, 0, content === 'fresh' ? 0 : DISK_BYTES);
    return raw;
  }
  if (content === 'fresh') {
    vhd('create', image, `${DISK_BYTES}`);
    return image;
  }
  if (content === 'written') {
    makeRaw(raw, 0, DISK_BYTES);
    vhd('convert', raw, image);
    rmSync(raw);
    return image;
  }
  return makeChain(directory);
}

/** Each image has another part of the disk, so that reads go to all depths. */
function makeChain(directory: string): string {
  const at = (depth: number): string => path.join(directory, `${depth}.vhd`);
  const part = DISK_BYTES / CHAIN_DEPTH;
  for (let depth = 0; depth < CHAIN_DEPTH; depth++) {
    if (depth === 0) vhd('create', at(0), `${DISK_BYTES}`);
    else vhd('snapshot', at(depth - 1), at(depth), '--keep-empty');
    const from = Math.floor((depth * part) / MIB);
    const to = Math.floor(((depth + 1) * part) / MIB);
    fill(directory, at(depth), from * MIB, (to - from) * MIB);
  }
  return at(CHAIN_DEPTH - 1);
}

/** Writes a part of an image with the daemon. */
function fill(directory: string, image: string, offset: number, size: number): void {
  const script = [
    ...[...main, 'daemon', '--control-directory', directory, '--disk', `0=vhd:${image}`],
    ...['--nbd', path.join(directory, 'fill.sock')],
  ];
  const job = ['--name=fill', '--ioengine=nbd', '--rw=write', '--bs=1m', '--iodepth=4', '--fsync_on_close=1'];
  const uri = `--uri=nbd+unix:///?socket=${path.join(directory, 'fill.sock')}`;
  const fio = [...job, uri, `--offset=${offset}`, `--size=${size}`];
  const shell =
    '"$0" "${@:2:$1}" >/dev/null 2>&1 & n=$1; shift $((n + 1)); until fio "${@:2}" >/dev/null 2>&1; do [ $((tries += 1)) -lt 50 ] || break; sleep 0.1; done; s=$?; kill $!; wait $!; exit $s';
  const socket = path.join(directory, 'fill.sock');
  run('bash', '-c', shell, process.execPath, `${script.length}`, ...script, socket, ...fio);
  rmSync(socket, { force: true });
}

function serverOf(target: Target, image: string, socket: string): readonly [string, ...string[]] {
  if (target === 'qemu-nbd vpc') {
    return [
      'qemu-nbd',
      '--persistent',
      '--shared=4',
      '--format=vpc',
      '--cache=writeback',
      `--socket=${socket}`,
      image,
    ];
  }
  const name = target === 'aio' ? 'aio:' : target === 'vhd' ? 'vhd:' : 'vhd:[answer=early]';
  const control = ['--control-directory', path.dirname(socket)];
  return [process.execPath, ...main, 'daemon', ...control, '--disk', `0=${name}${image}`, '--nbd', socket];
}

function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('error', () => resolve(false));
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
  });
}

/** Requests a second. */
async function measure(directory: string, target: Target, load: Load): Promise<number> {
  const own = mkdtempSync(path.join(directory, 'image-'));
  const socket = path.join(own, 'nbd.sock');
  const [command, ...args] = serverOf(target, makeImage(own, target, load.content), socket);
  run('sync');
  const server = spawn(command, args, { stdio: 'ignore' });
  try {
    while (!(await isListening(socket))) {
      if (server.exitCode !== null) throw new Error(`${target} ended with ${server.exitCode}`);
      await delay(20);
    }
    const { read, write } = await runFio(socket, `--size=${DISK_BYTES}`, '--randrepeat=1', ...load.fio);
    return read.iops + write.iops;
  } finally {
    const exit = once(server, 'exit');
    if (server.exitCode === null && server.kill()) await exit;
    rmSync(own, { recursive: true });
  }
}

async function bench(directory: string, pattern: RegExp): Promise<void> {
  console.log(`requests a second, median of ${ROUNDS} interleaved rounds; ratio to aio`);
  for (const load of LOADS.filter(({ name }) => pattern.test(name))) {
    const targets = load.targets.filter(
      (target) => target !== 'qemu-nbd vpc' || programPath('qemu-nbd') !== undefined,
    );
    const rates = new Map<Target, number[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const target of targets) rates.get(target)?.push(await measure(directory, target, load));
    }
    const base = median(rates.get('aio') ?? []);
    console.log(`${load.name} (goal ${load.goal})`);
    for (const [target, all] of rates) {
      const rate = median(all);
      console.log(`  ${target.padEnd(20)}${rate.toFixed(0).padStart(8)}  ${(rate / base).toFixed(2)}`);
    }
  }
}

if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');
const directory = mkdtempSync(path.join(tmpdir(), 'vhd-bench-'));
try {
  await bench(directory, new RegExp(process.argv[2] ?? ''));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
