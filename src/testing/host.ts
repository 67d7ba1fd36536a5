// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';
import { type Logger, priorityName } from '../server/logger.js';
import { TapdiskServer, type TapdiskServerOptions } from '../server/tapdisk-server.js';
import { CallFault, type CallFaultOptions } from './call-faults.js';
import type { HostFiles } from './files/host-files.js';
import type { Kernel } from './kernel.js';
import { SimulatedPosix } from './simulated-posix.js';

/**
 * How the peers of a host that crashes learn of it.
 *
 * - `end of file`: its process was killed and its kernel closes the connections (end of file, or a reset where bytes
 *   come in); new connections are refused
 * - `reset`: its connections are reset; new ones are refused
 * - `silence`: the machine lost its power; nothing responds until it is restarted, and its files are as they were synced,
 *   with whatever else had been written by then
 */
export type CrashKind = 'end of file' | 'reset' | 'silence';

/** What a host runs whenever it starts. */
export type Program = (host: SimulatedHost) => void | Promise<void>;

/** A host of a simulated world: it has addresses, and at most one process at a time. */
export class SimulatedHost {
  readonly #kernel: Kernel;
  readonly #failed: (error: unknown) => void;
  #posix: SimulatedPosix;
  #others: SimulatedPosix[] = [];
  /** The servers of the running process whose run loops have not ended. */
  #servers: TapdiskServer<SimulatedPosix>[] = [];
  #program: Program | undefined;
  #isAlive = true;

  /** Made by {@link SimulatedWorld.host}. */
  constructor(kernel: Kernel, failed: (host: SimulatedHost, error: unknown) => void) {
    this.#kernel = kernel;
    this.#failed = (error) => failed(this, error);
    this.#posix = new SimulatedPosix(kernel);
  }

  /** Its first address. */
  get name(): string {
    return this.#kernel.machine.name;
  }

  /** The operating system as the running process sees it; another one after a restart. */
  get posix(): SimulatedPosix {
    return this.#posix;
  }

  /** Whether it has a process: it has not crashed, or was restarted since. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Its files: they outlive its processes. A crash by `silence` loses what was not synced, the others lose nothing. */
  get files(): HostFiles {
    return this.#kernel.files;
  }

  get clock(): Clock {
    return this.#kernel.clock;
  }

  /** What it writes, a line each in the world's trace. */
  readonly logger: Logger = {
    log: (priority, message) => {
      this.#kernel.note(() => `log ${priorityName(priority)} ${message.trimEnd()}`);
    },
  };

  /** Starts a server on the running process: its run loop goes on whenever the world runs. @throws Error after a crash */
  serve(
    options: Omit<TapdiskServerOptions<SimulatedPosix>, 'posix' | 'clock'> = {},
  ): TapdiskServer<SimulatedPosix> {
    if (!this.#isAlive) throw new Error(`${this.name} has crashed: restart it first`);
    const server = new TapdiskServer({
      logger: this.logger,
      ...options,
      posix: this.#posix,
      clock: this.clock,
    });
    this.#servers.push(server);
    server
      .run({ signals: false })
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#servers = this.#servers.filter((one) => one !== server);
      });
    return server;
  }

  /** Another process beside the one that {@link SimulatedHost.posix} is, with descriptors of its own; a crash ends it too. */
  spawn(): SimulatedPosix {
    const posix = new SimulatedPosix(this.#kernel);
    this.#others.push(posix);
    return posix;
  }

  /** Runs a program now (unless it has crashed), and again at every restart. What it rejects with fails the world's run. */
  boot(program: Program): this {
    this.#program = program;
    if (this.#isAlive) this.#runProgram();
    return this;
  }

  /** Its process dies: nothing of it runs any more, and its descriptors are gone. A crashed host can be restarted. */
  crash(kind: CrashKind = 'reset'): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#kernel.note(`crashes: ${kind}`);
    const { machine } = this.#kernel;
    if (kind !== 'end of file') machine.dropConnections(kind);
    if (kind === 'silence') machine.isUp = false;
    for (const posix of [this.#posix, ...this.#others]) posix.die();
    if (kind === 'silence') this.files.losePower();
    else this.files.endProcess();
    this.#others = [];
    this.#servers = [];
  }

  /** Starts a fresh process, after a crash (`reset`) if one is running, and in it the program that was booted. */
  restart(): void {
    this.crash('reset');
    this.#isAlive = true;
    this.#kernel.machine.isUp = true;
    this.#kernel.note('starts');
    this.#posix = new SimulatedPosix(this.#kernel);
    this.#runProgram();
  }

  /** Makes calls of this host fail, those of later processes too. A fault that several hosts share counts all their calls. */
  failCalls(fault: CallFault | CallFaultOptions): CallFault {
    const added = fault instanceof CallFault ? fault : new CallFault(fault);
    this.#kernel.addFault(added);
    return added;
  }

  /** Sets its clock forward (or back, when negative), as if the time were corrected. Sleeps under way do not change. */
  adjustClock(seconds: number): void {
    this.#kernel.adjustClock(seconds);
  }

  /** The first number that no descriptor of the next process gets (RLIMIT_NOFILE). */
  set maxDescriptors(limit: number) {
    this.#kernel.maxDescriptors = limit;
  }

  /** Whether a server of it has something to do: it was started, has not ended, and is not in select. */
  get isBusy(): boolean {
    return this.#servers.length > this.#posix.selectCount;
  }

  /** Stops its servers; they have ended when the world has run on. */
  stop(): void {
    for (const server of this.#servers) server.stop();
  }

  /** What it still has: descriptors, pollers, events and connections, a line each. */
  leftovers(): string[] {
    const lines: string[] = [];
    for (const posix of [this.#posix, ...this.#others]) {
      for (const { fd, description } of posix.openDescriptors())
        lines.push(`descriptor ${fd}: ${description}`);
      if (posix.pollerCount > 0) lines.push(`${posix.pollerCount} pollers`);
    }
    for (const { fd, path } of this.files.descriptors()) lines.push(`file ${fd}: ${path}`);
    for (const server of this.#servers) {
      for (const { id, fd } of server.scheduler.events()) lines.push(`event ${id} on descriptor ${fd}`);
    }
    for (const endpoint of this.#kernel.machine.endpoints) lines.push(`connection ${endpoint.describe()}`);
    return lines.map((line) => `${this.name}: ${line}`);
  }

  #runProgram(): void {
    const posix = this.#posix;
    const outcome = this.#program?.(this);
    // The program of a dead process is not awaited, and its errors are dropped.
    outcome?.catch((error: unknown) => {
      if (this.#isAlive && posix === this.#posix) this.#failed(error);
    });
  }
}
