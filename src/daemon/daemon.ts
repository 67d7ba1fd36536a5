// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { NodePosix } from '../posix/index.js';
import { SystemError } from '../posix/system-error.js';
import { DEFAULT_DIALECT } from '../scheduler/dialect.js';
import { nodeTimers, type TimerHandle, type Timers } from '../posix/timers.js';
import { LOG_CRIT, LOG_ERR, LOG_NOTICE, type Logger } from '../server/logger.js';
import { ObserverList } from '../metrics/combined-observer.js';
import { diagnosticsObserver } from '../metrics/diagnostics.js';
import { LoopLag } from '../metrics/loop-lag.js';
import { reportText } from '../metrics/report-text.js';
import { type Report, REPORT_VERSION, vbdReport } from '../metrics/report.js';
import { Recording } from '../metrics/recording.js';
import { residentBytes } from '../metrics/resident-bytes.js';
import { SchedulerMeter } from '../metrics/scheduler-meter.js';
import { SchedulerViewer } from '../metrics/scheduler-view.js';
import { TapdiskServer } from '../server/tapdisk-server.js';
import { shownText, shownWord } from '../server/shown-text.js';
import { thrownText } from '../server/thrown-text.js';
import { type DriverTypes, VbdRegistry } from '../disks/index.js';
import { closeDisks } from './close-disks.js';
import type { DaemonOptions } from './daemon-options.js';
import { openDisks } from './open-disks.js';
import { ParentWatch } from './parent-watch.js';
import { PidFile } from './pid-file.js';
import { clientSeconds, Services } from './services.js';
import { Trace } from './trace.js';

/** What a daemon is made of beside its options. */
export interface DaemonParts {
  readonly logger: Logger;
  readonly pid: number;
  readonly types: DriverTypes;
  /** The number of the process that started this one, now; Node's unless given. */
  readonly parentPid?: () => number;
  /** What bounds the time of its end; Node's unless given. */
  readonly timers?: Timers;
}

/** A timer that is so late, in milliseconds, may be so because the process was stopped. */
const LATE_MS = 500;

/** A callback that throws is our bug. After this many the daemon no longer tries to shut down in order. */
export const MAX_FAULTS = 10;

/**
 * The daemon: disks, and those who serve them, around one scheduler.
 *
 *     new --start--> starting --all is open--> serving --shutDown, or a fault--> ending --all is closed--> ended
 *                       |                                                          ^
 *                       +-- something is missing; shutDown has to follow ---------+
 */
export class Daemon {
  /** Fulfilled when it has ended, with how many things went wrong on the way. Never rejected. */
  readonly ended: Promise<number>;
  readonly #options: DaemonOptions;
  readonly #logger: Logger;
  readonly #pid: number;
  readonly #timers: Timers;
  readonly #posix = new NodePosix();
  readonly #startedAt = this.#posix.clock.now();
  readonly #meter = new SchedulerMeter(this.#posix.clock);
  readonly #loopLag = new LoopLag();
  readonly #trace: Trace | undefined;
  readonly #server: TapdiskServer;
  readonly #registry: VbdRegistry;
  readonly #services: Services;
  readonly #parent: ParentWatch | undefined;
  #pidFile: PidFile | undefined;
  /** Fulfilled once start has come to its end, good or bad. */
  #started: Promise<unknown> = Promise.resolve();
  #ending = false;
  /** In seconds of the clock: by when nothing may keep the process alive. */
  #endsAt = Infinity;
  /** What ends it then. */
  #endTimer: TimerHandle | undefined;
  #failures = 0;

  /** @throws Error when the trace file, a descriptor or an event is not available */
  constructor(options: DaemonOptions, parts: DaemonParts) {
    const { logger, pid, types, parentPid = () => process.ppid, timers = nodeTimers } = parts;
    this.#timers = timers;
    this.#options = options;
    this.#logger = logger;
    this.#pid = pid;
    const posix = this.#posix;
    const { trace, dialect = DEFAULT_DIALECT } = options;
    this.#trace = trace && new Trace(trace.file, trace.limitBytes, posix.clock, logger);
    const tracing = this.#trace ? [this.#trace.observer] : [];
    const observer = new ObserverList([this.#meter, diagnosticsObserver(posix.clock), ...tracing]);
    this.#server = new TapdiskServer({ posix, logger, observer, dialect });
    const registrar = this.#server;
    this.#registry = new VbdRegistry({ registrar, posix, logger, types });
    const report = (): Report => this.report();
    const { clock } = posix;
    const viewer = new SchedulerViewer({
      server: registrar,
      clock,
      meter: this.#meter,
      loopLag: this.#loopLag,
    });
    const recording = new Recording(observer, { clock, name: `tapdisk-ts daemon ${pid}` });
    this.#services = new Services(options, {
      registrar,
      posix,
      logger,
      registry: this.#registry,
      pid,
      report,
      schedulerView: () => viewer.view(),
      recording,
      onIdle: () => {
        if (options.exitWhenIdle) this.#shutDownAs('the last NBD client has gone');
      },
      types,
    });
    if (options.exitWithParent) {
      const onGone = (): void => this.#shutDownAs('the parent process has ended');
      this.#parent = new ParentWatch(registrar, parentPid, onGone);
    }
    this.#trace?.follow(registrar);
    this.ended = this.#run();
  }

  /**
   * Opens the disks, then listens.
   *
   * @returns a line for the process that waits for it: `ready pid=71 control=/dir/ctl71 nbd=127.0.0.1:10809`
   * @throws (rejects with) Error that says what is not available; SystemError ECANCELED when {@link shutDown} was called
   *   before it was done: then it goes no further. It stays pending if it hangs until `ended` resolves.
   */
  async start(): Promise<string> {
    const starting = this.#start();
    this.#started = starting.catch(() => {});
    return starting;
  }

  /**
   * Ends in order: clients have their answers, every disk is paused and closed, then all the rest. Idempotent; waits for
   * {@link start} first, which does not begin its next step. `ended` resolves when it is done.
   */
  shutDown(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#limitEnding();
    // Nothing was served of what is not open yet: there is nothing to bring to an end.
    for (const vbd of this.#registry.vbds()) vbd.abortOpen();
    void this.#end();
  }

  /**
   * The process goes on after it was stopped (SIGTSTP, SIGSTOP): the time that its end may take is counted anew, since a
   * clock does not stop with it.
   */
  continued(): void {
    if (this.#endTimer === undefined) return;
    this.#timers.clearTimeout(this.#endTimer);
    this.#limitEnding();
  }

  /**
   * Reads certificates and keys again, for connections that come from now on. What cannot be used is logged, and what there
   * was before stays.
   */
  reload(): void {
    try {
      this.#services.reload();
      this.#logger.log(LOG_NOTICE, 'certificates and keys were read again');
    } catch (error) {
      this.#logger.log(
        LOG_ERR,
        `cannot reload, the old certificates and keys stay: ${(error as Error).message}`,
      );
    }
  }

  /** What is left of the time that its end may take, in seconds; Infinity without a limit. */
  get secondsLeft(): number {
    return Math.max(0, this.#endsAt - this.#posix.clock.now());
  }

  /** For a process that exits at once: removes only what would get in the way of others. */
  abandon(): void {
    for (const step of [
      () => this.#services.close(),
      () => this.#removePidFile(),
      () => this.#trace?.closeNow(),
    ]) {
      try {
        step();
      } catch (error) {
        // For example a full file system, which cannot take the end of the trace.
        this.#fail(`shutdown step failed: ${String(error)}`);
      }
    }
  }

  /** The VBDs that are not closed, for a person to read. */
  openDisks(): string[] {
    return this.#registry
      .vbds()
      .filter(({ phase }) => phase !== 'closed')
      .map((vbd) => shownText(vbd.describe()));
  }

  /** Where NBD clients find the open disks: a URI for each address; none when NBD is not served. */
  diskUris(): readonly (readonly [minor: number, uri: string])[] {
    const open = this.#registry.vbds().filter(({ isOpen }) => isOpen);
    return open.flatMap(({ minor }) => this.#services.diskUris(minor).map((uri) => [minor, uri] as const));
  }

  report(): Report {
    const resident = residentBytes();
    return {
      version: REPORT_VERSION,
      pid: this.#pid,
      uptimeSeconds: this.#posix.clock.now() - this.#startedAt,
      ...(resident !== undefined && { residentBytes: resident }),
      descriptors: this.#posix.openDescriptors().length,
      connections: this.#services.connections,
      scheduler: this.#meter.measures(),
      loopLag: this.#loopLag.measures(),
      vbds: this.#registry.vbds().map(vbdReport),
    };
  }

  /** All that there is to know, for a person to read. */
  dump(): string {
    const vbds = this.#registry.vbds().map((vbd) => `${shownText(vbd.describe())}\n`);
    const { dialect } = this.#server;
    return `${reportText(this.report())}${vbds.join('')}scheduler of ${dialect}\n${this.#server.dump()}`;
  }

  async #start(): Promise<string> {
    await this.#services.reserve();
    await openDisks(this.#registry, this.#options.disks, () => this.#ending);
    if (this.#ending) throw new SystemError('ECANCELED', 'it was shut down before it was ready');
    const where = await this.#services.listen();
    const { pidFile } = this.#options;
    if (pidFile !== undefined) this.#writePidFile(pidFile);
    return ['ready', `pid=${this.#pid}`, ...where.map(([name, at]) => `${name}=${shownWord(at)}`)].join(' ');
  }

  /** @throws Error when it cannot be written */
  #writePidFile(path: string): void {
    try {
      this.#pidFile = new PidFile(path, this.#pid);
    } catch (cause) {
      throw new Error(`--pid-file ${path} cannot be used: ${(cause as Error).message}`, { cause });
    }
  }

  async #run(): Promise<number> {
    for (let faults = 0; faults < MAX_FAULTS; faults++) {
      try {
        await this.#server.run({ signals: false });
        break;
      } catch (error) {
        this.#fail(`fault: ${thrownText(error)}`);
        this.shutDown();
      }
    }
    this.#server.stop();
    this.#loopLag[Symbol.dispose]();
    await this.#trace?.close();
    return this.#failures;
  }

  async #end(): Promise<void> {
    await this.#started;
    await this.#step(() => this.#services.stopClients(clientSeconds(this.#options.graceSeconds)));
    await this.#step(async () => {
      this.#failures += await closeDisks(this.#registry.vbds(), this.#server, this.#logger);
    });
    await this.#step(() => this.#services.close());
    this.#removePidFile();
    this.#parent?.[Symbol.dispose]();
    this.#registry[Symbol.dispose]();
    this.#server.stop();
  }

  /** A step of the end that fails must not keep the later ones, the closing of the disks above all, from being done. */
  async #step(step: () => Promise<void> | void): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#fail(`shutdown step failed: ${String(error)}`);
    }
  }

  /** When an orderly end takes too long, what is left is given up. */
  #limitEnding(): void {
    const { graceSeconds } = this.#options;
    if (graceSeconds === 0) return;
    this.#endsAt = this.#posix.clock.now() + graceSeconds;
    // The scheduler counts whole seconds, and may be up to one early: of one more it would be one late.
    const dueMs = this.#timers.now() + graceSeconds * 1000;
    this.#endAfter(graceSeconds * 1000, () => {
      // After a stop the timer is due before the signal is there that says so.
      if (this.#timers.now() - dueMs > LATE_MS) this.#endAfter(0, () => this.#giveUp());
      else this.#giveUp();
    });
  }

  #endAfter(delayMs: number, end: () => void): void {
    this.#endTimer = this.#timers.setTimeout(end, delayMs);
    this.#endTimer.unref();
  }

  #giveUp(): void {
    const { graceSeconds } = this.#options;
    for (const disk of this.openDisks()) this.#fail(`not closed within ${graceSeconds} s: ${disk}`);
    this.#server.stop();
  }

  #shutDownAs(reason: string): void {
    if (!this.#ending) this.#logger.log(LOG_NOTICE, `${reason}: shutting down`);
    this.shutDown();
  }

  #removePidFile(): void {
    try {
      this.#pidFile?.[Symbol.dispose]();
    } catch (error) {
      this.#fail(`--pid-file ${this.#options.pidFile}: cannot be removed: ${(error as Error).message}`);
    }
  }

  #fail(message: string): void {
    this.#failures += 1;
    this.#logger.log(LOG_CRIT, message);
  }
}
