// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programPath } from '../../scripts/program-path.js';
import { programArguments } from '../../scripts/program.js';

/** What all disks hold, in MiB. */
export const DISK_MIB = 256;

export interface NbdProgram {
  readonly name: string;
  /** The program that has to be installed. */
  readonly needs?: string;
  /** The command that serves the disk on the Unix socket until it is killed. */
  readonly command: (image: string, socket: string) => readonly [string, ...string[]];
}

const daemon =
  (disk: (image: string) => string): NbdProgram['command'] =>
  (image, socket) => [
    process.execPath,
    ...programArguments('src/cli/main.ts'),
    'daemon',
    ...['--control-directory', path.dirname(socket), '--disk', `0=${disk(image)}`, '--nbd', socket],
  ];

/** Servers of a disk in a file. */
export const FILE_PROGRAMS: readonly NbdProgram[] = [
  { name: 'tapdisk-ts aio', command: daemon((image) => `aio:${image}`) },
  {
    name: 'qemu-nbd',
    needs: 'qemu-nbd',
    command: (image, socket) => [
      'qemu-nbd',
      ...['--persistent', '--shared=4', '--format=raw', '--cache=writeback', `--socket=${socket}`, image],
    ],
  },
  {
    name: 'nbdkit file',
    needs: 'nbdkit',
    command: (image, socket) => ['nbdkit', '--foreground', '--unix', socket, 'file', image],
  },
];

/** Servers of a disk in memory. */
export const MEMORY_PROGRAMS: readonly NbdProgram[] = [
  { name: 'tapdisk-ts ram', command: daemon(() => `ram:${DISK_MIB}`) },
  {
    name: 'nbdkit memory',
    needs: 'nbdkit',
    command: (_image, socket) => ['nbdkit', '--foreground', '--unix', socket, 'memory', `${DISK_MIB}M`],
  },
];

/** A server under load, and what it has used of the processors. */
export class Server {
  readonly name: string;
  readonly socket: string;
  readonly #child: ChildProcess;

  private constructor(name: string, socket: string, child: ChildProcess) {
    this.name = name;
    this.socket = socket;
    this.#child = child;
  }

  /** Starts those that are installed, each in a directory of its own; the others are named on standard output. */
  static async startAll(
    programs: readonly NbdProgram[],
    directory: string,
    makeImage: (file: string) => void,
  ): Promise<Server[]> {
    const servers: Server[] = [];
    for (const { name, needs, command } of programs) {
      if (needs !== undefined && programPath(needs) === undefined) {
        console.log(`${needs} is not installed, and left out`);
        continue;
      }
      const home = path.join(directory, name.replace(' ', '-'));
      mkdirSync(home, { mode: 0o700 });
      const image = path.join(home, 'image');
      makeImage(image);
      const socket = path.join(home, 's');
      const [file, ...args] = command(image, socket);
      const child = spawn(file, args, { stdio: 'ignore' });
      while (!existsSync(socket)) {
        if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`);
        await delay(20);
      }
      servers.push(new Server(name, socket, child));
    }
    return servers;
  }

  /** Processor time of all its threads since its start, in microseconds. */
  get processorTime(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    // The name, in brackets, may have spaces. Clock ticks are hundredths of a second on Linux.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill();
    await exit;
  }
}
