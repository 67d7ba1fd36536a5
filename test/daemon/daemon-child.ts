// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { programArguments } from '../../scripts/program.js';
import { AF_INET, AF_UNIX, type SocketAddress } from '../../src/posix/index.js';
import { NbdClient } from '../../src/nbd/index.js';
import { TapdiskServer } from '../../src/server/tapdisk-server.js';
import { dialectArguments } from './dialect-arguments.js';

const program = programArguments('test/daemon/program.ts');

/** How a daemon is started by another program. */
export interface Launch {
  /** The program and its arguments; the daemon's command line follows. */
  readonly launcher?: readonly string[];
  /** Descriptors that it gets as 3 and so on. */
  readonly descriptors?: readonly number[];
}

/** A test, or whatever else ends what it began. */
export interface TearsDown {
  teardown(end: () => unknown): void;
}

/** The daemon as a process of its own. It is killed when the test ends, should it still run. */
export class DaemonChild {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  readonly #close: Promise<unknown[]>;
  #stdout = '';
  #stderr = '';
  #changed: () => void = () => {};

  constructor(
    t: TearsDown,
    argv: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    command: readonly string[] = program,
    { launcher = [], descriptors = [] }: Launch = {},
  ) {
    const line = [...launcher, process.execPath, ...command, ...dialectArguments(), ...argv];
    this.#child = spawn(line[0] ?? '', line.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      env: { ...process.env, ...environment },
    });
    this.#exit = once(this.#child, 'exit');
    this.#close = once(this.#child, 'close');
    this.#child.stdout?.on('data', (text: Buffer) => this.#add(() => (this.#stdout += text.toString())));
    this.#child.stderr?.on('data', (text: Buffer) => this.#add(() => (this.#stderr += text.toString())));
    this.#child.on('close', () => this.#changed());
    t.teardown(async () => {
      this.#child.kill('SIGKILL');
      await this.#exit;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get stderr(): string {
    return this.#stderr;
  }

  /** What the line says that tells that it is ready: `control`, `nbd` and so on. */
  async ready(): Promise<Readonly<Record<string, string>>> {
    await this.#until(() => this.#stdout.includes('\n'));
    const [word, ...pairs] = (this.#stdout.split('\n')[0] ?? '').split(' ');
    if (word !== 'ready') throw new Error(`it said ${this.#stdout}`);
    return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
  }

  /** Where it serves NBD, once it is ready. */
  get nbdAddresses(): readonly string[] {
    return Array.from((this.#stdout.split('\n')[0] ?? '').matchAll(/ nbd=(\S+)/g), ([, at = '']) => at);
  }

  /** The URIs of its disks, by minor number, once it is ready. */
  get diskUris(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Array.from(this.#stdout.matchAll(/^disk (\d+) (\S+)$/gm), ([, minor = '', uri = '']) => [minor, uri]),
    );
  }

  /** Fulfilled when standard error has this. */
  told(what: RegExp): Promise<void> {
    return this.#until(() => what.test(this.#stderr));
  }

  /** From now on nobody reads what it prints. */
  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit status, or the signal that ended it, once all that it printed is here. */
  async exit(): Promise<number | string> {
    const [status, signal] = await this.#close;
    return (status ?? signal) as number | string;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#child.exitCode !== null)
        throw new Error(`it ended with ${this.#child.exitCode}: ${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  #add(append: () => void): void {
    append();
    this.#changed();
  }
}

/** A connection to an address as the daemon prints it. */
export async function nbdClient(t: TearsDown, where: string, exportName?: string): Promise<NbdClient> {
  const server = new TapdiskServer();
  const running = server.run({ signals: false });
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(where) ?? [];
  const address: SocketAddress = where.includes('/')
    ? { family: AF_UNIX, path: where }
    : { family: AF_INET, address: host, port: Number(port) };
  const connecting = NbdClient.connect({
    registrar: server,
    posix: server.posix,
    address,
    ...(exportName !== undefined && { exportName }),
  });
  t.teardown(async () => {
    const client = await connecting.catch(() => undefined);
    client?.disconnect();
    server.stop();
    await running;
  });
  return connecting;
}
