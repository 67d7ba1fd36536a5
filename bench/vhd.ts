// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

// VHDs beside raw files, served over NBD by the daemon, and by qemu-nbd where it can, under fio's load, on the file system of
// the temporary directory, and how long a disk is paused for a snapshot: `npm run bench:vhd [-- RE]`. Needs fio.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../scripts/program-path.js';
import { patternOption, scriptOptions } from '../scripts/script-options.js';
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
  /** How the disks are before: nothing in them, all written, all of it in a parent, or a chain whose images have a part of it each. */
  readonly content: 'fresh' | 'written' | 'snapshot' | 'chain';
  readonly targets: readonly Target[];
  /** What the ratio to the raw file is to be. */
  readonly goal: number | undefined;
}

/** How fast a disk was, and what that took of its server. */
interface Measure {
  /** Requests a second. */
  readonly rate: number;
  /** Processor time per request, in microseconds. */
  readonly cpu: number;
}

const SNAPSHOTS = 10;
const PAUSE_GOAL_MS = 100;

const ALL: readonly Target[] = ['aio', 'vhd', 'vhd, early answers', 'qemu-nbd vpc'];
const OURS: readonly Target[] = ['aio', 'vhd'];
const OURS_EARLY: readonly Target[] = ['aio', 'vhd', 'vhd, early answers'];
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
    name: 'sequential writes over a parent, 64 KiB, 16 at once',
    fio: ['--rw=write', '--bs=64k', '--iodepth=16'],
    content: 'snapshot',
    targets: OURS_EARLY,
    goal: undefined,
  },
  {
    name: 'first writes at random places over a parent, 4 KiB, 16 at once',
    fio: ['--rw=randwrite', '--bs=4k', '--iodepth=16', '--io_size=40m'],
    content: 'snapshot',
    targets: OURS_EARLY,
    goal: undefined,
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
  if (content === 'written' || content === 'snapshot') {
    makeRaw(raw, 0, DISK_BYTES);
    vhd('convert', raw, image);
    rmSync(raw);
    if (content === 'written') return image;
    vhd('snapshot', image, path.join(directory, 'child.vhd'));
    return path.join(directory, 'child.vhd');
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

/** Processor time that a process has taken, in microseconds. */
function cpuOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  // In ticks of a hundredth of a second, which every Linux reports in.
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Has a target serve an image while something is done. */
async function served<T>(
  own: string,
  target: Target,
  content: Load['content'],
  use: (socket: string, pid: number | undefined) => Promise<T>,
): Promise<T> {
  const socket = path.join(own, 'nbd.sock');
  const [command, ...args] = serverOf(target, makeImage(own, target, content), socket);
  run('sync');
  const server = spawn(command, args, { stdio: 'ignore' });
  try {
    while (!(await isListening(socket))) {
      if (server.exitCode !== null) throw new Error(`${target} ended with ${server.exitCode}`);
      await delay(20);
    }
    return await use(socket, server.pid);
  } finally {
    const exit = once(server, 'exit');
    if (server.exitCode === null && server.kill()) await exit;
  }
}

async function measure(directory: string, target: Target, load: Load): Promise<Measure> {
  const own = mkdtempSync(path.join(directory, 'image-'));
  try {
    return await served(own, target, load.content, async (socket, pid) => {
      const before = cpuOf(pid);
      const { read, write } = await runFio(socket, `--size=${DISK_BYTES}`, '--randrepeat=1', ...load.fio);
      const cpu = (cpuOf(pid) - before) / (read.total_ios + write.total_ios);
      return { rate: read.iops + write.iops, cpu };
    });
  } finally {
    rmSync(own, { recursive: true });
  }
}

/** How long a disk is paused for each of some snapshots, in milliseconds, while it is written to or not. */
async function pauses(directory: string, isWritten: boolean): Promise<number[]> {
  const own = mkdtempSync(path.join(directory, 'pause-'));
  try {
    return await served(own, 'vhd', 'fresh', async (socket) => {
      const load = [
        '--rw=randwrite',
        '--bs=4k',
        '--iodepth=4',
        '--rate_iops=1000',
        '--time_based',
        '--runtime=600',
      ];
      const uri = `--uri=nbd+unix:///?socket=${socket}`;
      const fio = isWritten
        ? spawn('fio', ['--name=load', '--ioengine=nbd', uri, `--size=${DISK_BYTES}`, ...load], {
            stdio: 'ignore',
          })
        : undefined;
      const found: number[] = [];
      for (let index = 0; index < SNAPSHOTS; index++) {
        if (fio) await delay(1000);
        const child = path.join(own, `child${index}.vhd`);
        const { stdout, status } = spawnSync(
          process.execPath,
          [...main, 'ctl', 'snapshot', '0', child, '--control-directory', own, '--json'],
          { encoding: 'utf8' },
        );
        if (status !== 0) throw new Error(`ctl snapshot ended with ${status}`);
        found.push((JSON.parse(stdout) as { pauseMs: number }).pauseMs);
      }
      if (fio) {
        const exit = once(fio, 'exit');
        if (fio.exitCode === null && fio.kill()) await exit;
      }
      return found;
    });
  } finally {
    rmSync(own, { recursive: true });
  }
}

async function benchPauses(directory: string): Promise<void> {
  console.log(`pause for a snapshot in ms, median and most of ${SNAPSHOTS} (aim ${PAUSE_GOAL_MS})`);
  for (const isWritten of [false, true]) {
    const found = await pauses(directory, isWritten);
    const [middle, most] = [median(found), Math.max(...found)].map((ms) => ms.toFixed(0).padStart(8));
    console.log(`  ${(isWritten ? '1000 writes a second' : 'idle').padEnd(20)}${middle}${most}`);
  }
}

async function bench(directory: string, pattern: RegExp): Promise<void> {
  console.log(`medians of ${ROUNDS} interleaved rounds; ratios to aio`);
  console.log(`  ${''.padEnd(20)}requests/s  ratio  CPU µs/request  ratio`);
  for (const load of LOADS.filter(({ name }) => pattern.test(name))) {
    const targets = load.targets.filter(
      (target) => target !== 'qemu-nbd vpc' || programPath('qemu-nbd') !== undefined,
    );
    const found = new Map<Target, Measure[]>(targets.map((target) => [target, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const target of targets) found.get(target)?.push(await measure(directory, target, load));
    }
    const middle = (target: Target, of: keyof Measure): number =>
      median((found.get(target) ?? []).map((measured) => measured[of]));
    const goal = load.goal === undefined ? '' : ` (goal ${load.goal})`;
    console.log(`${load.name}${goal}`);
    for (const target of targets) {
      const [rate, cpu] = [middle(target, 'rate'), middle(target, 'cpu')];
      const rates = `${rate.toFixed(0).padStart(10)}${(rate / middle('aio', 'rate')).toFixed(2).padStart(7)}`;
      const cpus = `${cpu.toFixed(1).padStart(16)}${(cpu / middle('aio', 'cpu')).toFixed(2).padStart(7)}`;
      console.log(`  ${target.padEnd(20)}${rates}${cpus}`);
    }
  }
  if (pattern.test('pause for a snapshot')) await benchPauses(directory);
}

const USAGE = `npm run bench:vhd [-- RE]

  RE  only loads whose name matches`;
const { positionals } = scriptOptions(USAGE, { allowPositionals: true });
const pattern = patternOption('RE', positionals[0] ?? '');
if (programPath('fio') === undefined) throw new Error('fio is not installed, which makes the load');
const directory = mkdtempSync(path.join(tmpdir(), 'vhd-bench-'));
try {
  await bench(directory, pattern);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
