// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { programArguments } from '../../scripts/program.js';
import { ControlClient, ControlError } from '../../src/control/control-client.js';
import { controlSocketPath } from '../../src/control/control-directory.js';
import { errno, NodePosix } from '../../src/posix/index.js';
import type { ReplicationEvent } from '../../src/replication/disk/events.js';
import type { ReplicationStatus } from '../../src/replication/disk/status.js';

/** What each disk holds. */
export const DISK_BYTES = 128 << 20;
const POLL_MS = 10;
/** How long anything is waited for. */
const PATIENCE_MS = 60_000;

export interface DaemonOptions {
  /** Its sockets and image are in it; it is made. */
  readonly home: string;
  /** What is before the image's driver, such as `remus:HOST:PORT,…|`. */
  readonly filter?: string;
  /** Where it is served beside the Unix socket, as HOST:PORT. */
  readonly also?: string;
  /** The namespace of the network that it runs in. */
  readonly namespace?: string;
}

const running = new Set<Daemon>();

/** Ends all that run, such as those of a part that failed. */
export async function endAll(): Promise<void> {
  for (const daemon of running) await daemon.end();
}

/** A daemon with one disk in a file, served on a Unix socket. */
export class Daemon {
  readonly home: string;
  readonly socket: string;
  readonly #options: DaemonOptions;
  readonly #client: ControlClient;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    const { home } = options;
    mkdirSync(home, { recursive: true, mode: 0o700 });
    this.home = home;
    this.socket = path.join(home, 's');
    this.#options = options;
    this.#client = new ControlClient(new NodePosix(), home);
    writeFileSync(this.image, '');
    truncateSync(this.image, DISK_BYTES);
  }

  get image(): string {
    return path.join(this.home, 'image');
  }
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`the daemon of ${this.home} does not run`);
    return pid;
  }

  /** Starts it, again after it was ended; resolves when it serves. */
  async start(): Promise<void> {
    const { filter = '', also, namespace } = this.#options;
    rmSync(this.socket, { force: true });
    const node = [process.execPath, ...process.execArgv, ...programArguments('src/cli/main.ts')];
    const [program = '', ...args] = [
      ...(namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]),
      ...node,
      ...['daemon', '--control-directory', this.home, '--disk', `0=${filter}aio:${this.image}`],
      ...['--nbd', this.socket, ...(also === undefined ? [] : ['--nbd', also])],
      ...['--log-level', 'err'],
    ];
    // Where it runs is where a profile is written to, if Node was told to make one.
    const child = spawn(program, args, { cwd: this.home, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    running.add(this);
    await until(`the daemon of ${this.home} serves`, () => {
      if (child.exitCode !== null) throw new Error(`the daemon of ${this.home} ended with ${child.exitCode}`);
      return existsSync(this.socket) && existsSync(controlSocketPath(this.home, this.pid));
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    running.delete(this);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await exit;
  }

  async status(): Promise<ReplicationStatus> {
    const text = await this.#client.replication(this.pid, 0, { command: 'status' });
    const [status] = JSON.parse(text) as ReplicationStatus[];
    if (status === undefined) throw new Error(`the daemon of ${this.home} has no replicated disk`);
    return status;
  }

  /** What has happened to the disk, the last of it. */
  async events(): Promise<ReplicationEvent[]> {
    const text = await this.#client.replication(this.pid, 0, { command: 'events' });
    return (JSON.parse(text) as { readonly event: ReplicationEvent }[]).map(({ event }) => event);
  }

  /** Waits until the disk is protected, with nothing on its way to the backup. */
  async settled(): Promise<void> {
    await until(`the disk of ${this.home} is protected`, async () => {
      try {
        const { state, queuedBytes, openBytes } = await this.status();
        return state === 'protected' && queuedBytes === 0 && openBytes === 0;
      } catch (error) {
        // A daemon that is starting has a socket before it has the disk.
        if (error instanceof ControlError && error.number === errno.ENOENT) return false;
        throw error;
      }
    });
  }
}

/** Waits until something is so. @throws (rejects with) Error when that takes too long */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`gave up waiting until ${what}`);
    await delay(POLL_MS);
  }
}
