// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonChild, type TearsDown } from '../../daemon/daemon-child.js';
import { command } from '../command.js';

/** How often a state is asked for that something waits for. */
const POLL_MS = 50;

export interface SideOptions {
  readonly port: number;
  readonly role: 'auto' | 'primary' | 'backup';
  /** More options of the disk, such as `commit-on-flush=require`. */
  readonly disk?: readonly string[];
  readonly argv?: readonly string[];
}

/** What a command of `replication` said, and how it ended. */
interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One side of a replicated disk: a daemon with the image of a directory, driven by the commands of an operator. */
export class Side {
  readonly daemon: DaemonChild;
  readonly nbd: string;
  readonly #control: string;

  private constructor(daemon: DaemonChild, nbd: string, control: string) {
    this.daemon = daemon;
    this.nbd = nbd;
    this.#control = control;
  }

  /** Starts the daemon on `disk.img` of a directory. */
  static async start(
    t: TearsDown,
    directory: string,
    { port, role, disk = [], argv = [] }: SideOptions,
  ): Promise<Side> {
    const control = join(directory, 'ctl');
    const options = [`role=${role}`, 'journal=4M', ...disk].join();
    const daemon = new DaemonChild(t, [
      '--control-directory',
      control,
      '--disk',
      `3=remus:127.0.0.1:${port},${options}|aio:${join(directory, 'disk.img')}`,
      '--nbd',
      '127.0.0.1:0',
      ...argv,
    ]);
    const { nbd = '' } = await daemon.ready();
    return new Side(daemon, nbd, control);
  }

  /** Runs a command of `replication`. */
  run(...argv: string[]): Promise<Said> {
    return command('replication', ...argv, '--control-directory', this.#control);
  }

  /** Runs one that has to succeed, and returns what it printed. @throws (rejects with) Error */
  async replication(...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...argv);
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** What a command says that is refused. @throws (rejects with) Error when it is not */
  async refused(...argv: string[]): Promise<string> {
    const { status, stderr } = await this.run(...argv);
    if (status !== 1) throw new Error(`${argv.join(' ')} ended with ${status}, expected 1`);
    return stderr;
  }

  async state(): Promise<string> {
    const { stdout } = await this.run('status', '--json');
    return (JSON.parse(stdout) as { state: string }[])[0]?.state ?? 'no disk';
  }

  /** Waits until the state is one of these, and returns it. */
  async until(...wanted: string[]): Promise<string> {
    for (;;) {
      const state = await this.state();
      if (wanted.includes(state)) return state;
      await sleep(POLL_MS);
    }
  }

  /** Promotes it as soon as its primary is not connected any more. @throws (rejects with) Error when it is refused otherwise */
  async promote(...argv: string[]): Promise<string> {
    for (;;) {
      const { status, stdout, stderr } = await this.run('promote', ...argv);
      if (status === 0) return stdout;
      if (!/the primary is connected/.test(stderr)) throw new Error(`promote: ${stderr}`);
      await sleep(POLL_MS);
    }
  }

  async kill(): Promise<void> {
    this.daemon.kill('SIGKILL');
    await this.daemon.exit();
  }
}
