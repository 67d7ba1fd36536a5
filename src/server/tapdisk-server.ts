// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { whenAborted } from '../posix/when-aborted.js';
import { type Clock, microsecondClock } from '../posix/clock.js';
import { errno, errnoCode } from '../posix/errno.js';
import { NodePosix } from '../posix/index.js';
import type { Poller } from '../posix/poller.js';
import type { Descriptor, Posix } from '../posix/posix.js';
import { SystemError } from '../posix/system-error.js';
import type { Dialect } from '../scheduler/dialect.js';
import {
  type EventCallback,
  type EventId,
  type EventMode,
  POLL_READ_FD,
  POLL_WRITE_FD,
  TIMEOUT,
} from '../scheduler/event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import { Scheduler } from '../scheduler/scheduler.js';
import type { SchedulerObserver } from '../scheduler/observer.js';
import { SecondsRegistrar } from '../scheduler/seconds-registrar.js';
import type { Tapdisk3Registrar } from '../scheduler/tapdisk3-registrar.js';
import { Tapdisk3Scheduler } from '../scheduler/tapdisk3-scheduler.js';
import type { SchedulerWarning } from '../scheduler/warning.js';
import { dumpTables } from './dump.js';
import { type AwaitOptions, OneFiring } from './one-firing.js';
import { LOG_ERR, LOG_INFO, LOG_WARNING, type Logger, stderrLogger } from './logger.js';
import { onSignals } from './signals.js';
import { Tapdisk3Calls } from './tapdisk3-calls.js';

/** How many waits in a row may fail before run gives up, so that it does not spin. */
export const MAX_FAILED_WAITS = 10;

/** What a server works with; Node unless given. */
export interface TapdiskServerOptions<OperatingSystem extends Posix = NodePosix> {
  /** The operating system; Node's own unless given. The descriptors of one that is given stay the giver's to close. */
  readonly posix?: OperatingSystem;
  /** The scheduler's clock; the operating system's unless given. */
  readonly clock?: Clock;
  /** Standard error, from LOG_INFO on, unless given. */
  readonly logger?: Logger;
  /** Whose scheduler it has; tapdisk2's unless given. */
  readonly dialect?: Dialect;
  /** See {@link Scheduler}. A pass of tapdisk3's needs no such limit: it calls each event once. */
  readonly maxCallbacksPerPass?: number;
  /** See {@link Scheduler}. */
  readonly observer?: SchedulerObserver;
}

/** How a run of the server ends, beside stop. */
export interface RunOptions {
  /** Ends the run as stop does. */
  readonly signal?: AbortSignal;
  /** Whether SIGINT stops the server and SIGUSR1 dumps its tables to the logger while it runs; true unless given. */
  readonly signals?: boolean;
}

/**
 * The daemon around one scheduler (C: tapdisk-server.c, as far as events go).
 *
 *     running and idle --stop--> stopping (until the wait under way has ended) --> stopped
 *
 * Guaranteed after it has stopped: none of its events, timers and handles is left, and none of the descriptors of its own
 * operating system (see {@link TapdiskServerOptions.posix}).
 */
export class TapdiskServer<OperatingSystem extends Posix = NodePosix>
  implements EventRegistrar, AsyncDisposable
{
  readonly posix: OperatingSystem;
  readonly scheduler: Scheduler | Tapdisk3Scheduler;
  readonly logger: Logger;
  readonly #ownsPosix: boolean;
  readonly #clock: Clock;
  readonly #poller: Poller;
  /** Its calls in microseconds, if its dialect has them. */
  readonly #tapdisk3: Tapdisk3Calls | undefined;
  /** What its calls in seconds pass on to. */
  readonly #events: EventRegistrar;
  #state: 'live' | 'stopping' | 'stopped' = 'live';
  /** A run or an iterate is under way. */
  #waiting = false;
  readonly #whenStopped: (() => void)[] = [];
  readonly #firings = new Set<OneFiring>();

  constructor(options: TapdiskServerOptions<OperatingSystem> = {}) {
    // Without an operating system in the options the type parameter is the default one.
    this.posix = options.posix ?? (new NodePosix() as Posix as OperatingSystem);
    this.logger = options.logger ?? stderrLogger();
    this.#ownsPosix = options.posix === undefined;
    this.#clock = options.clock ?? this.posix.clock;
    this.#poller = this.posix.createPoller();
    const { observer, maxCallbacksPerPass } = options;
    const onWarning = (warning: SchedulerWarning): void => this.#warn(warning);
    const parts = { poller: this.#poller, observer, onWarning };
    if (options.dialect === 'tapdisk3') {
      const scheduler = new Tapdisk3Scheduler({ ...parts, clock: microsecondClock(this.#clock) });
      this.scheduler = scheduler;
      this.#tapdisk3 = new Tapdisk3Calls(scheduler, () => this.#state === 'stopped');
      this.#events = new SecondsRegistrar(this.#tapdisk3);
    } else {
      const limit = maxCallbacksPerPass !== undefined && { maxCallbacksPerPass };
      this.scheduler = new Scheduler({ ...parts, clock: this.#clock, ...limit });
      this.#events = this.scheduler;
    }
  }

  get dialect(): Dialect {
    return this.#tapdisk3 === undefined ? 'tapdisk2' : 'tapdisk3';
  }

  /**
   * The server's calls as tapdisk3 has them, in microseconds, with masks and timeouts that can be set. The server's own
   * calls count whole seconds in both dialects, so that a part works on either (see `SecondsRegistrar`).
   *
   * @throws Error when its dialect is tapdisk2
   */
  get tapdisk3(): Tapdisk3Registrar {
    if (this.#tapdisk3 === undefined)
      throw new Error("the server's dialect is tapdisk2: expected one made with { dialect: 'tapdisk3' }");
    return this.#tapdisk3;
  }

  /** See {@link EventRegistrar.registerEvent}; -ECANCELED once the server has stopped. C: tapdisk_server_register_event. */
  registerEvent<Private = undefined>(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    callback: EventCallback<Private>,
    privateData?: Private,
  ): EventId {
    if (this.#state === 'stopped') return -errno.ECANCELED;
    return this.#events.registerEvent(mode, fd, timeoutSeconds, callback, privateData);
  }

  /** C: tapdisk_server_unregister_event. */
  unregisterEvent(id: EventId): void {
    this.#events.unregisterEvent(id);
  }

  /** C: tapdisk_server_set_max_timeout. */
  setMaxTimeout(timeoutSeconds: number): number {
    return this.#events.setMaxTimeout(timeoutSeconds);
  }

  /** Whether a run or an iterate is under way: events fire only then. */
  get isRunning(): boolean {
    return this.#waiting;
  }

  /**
   * Fulfilled after a time on the scheduler: whole seconds, and with tapdisk2's scheduler up to a second less (rule E4).
   *
   * @throws (rejects with) the signal's reason; SystemError ECANCELED once the server has stopped
   */
  sleep(seconds: number, options?: AwaitOptions): Promise<void> {
    return this.#once(TIMEOUT, -1, seconds, options);
  }

  /** Fulfilled when a descriptor can be read, or accepted from, without waiting. Rejects as {@link sleep} does. */
  readable(fd: Descriptor, options?: AwaitOptions): Promise<void> {
    return this.#once(POLL_READ_FD, fd, 0, options);
  }

  /** Fulfilled when a descriptor can be written without waiting. Rejects as {@link sleep} does. */
  writable(fd: Descriptor, options?: AwaitOptions): Promise<void> {
    return this.#once(POLL_WRITE_FD, fd, 0, options);
  }

  /**
   * One wait of the scheduler (C: tapdisk_server_iterate). A callback may call it if the dialect is tapdisk3.
   *
   * @returns what the wait returns, or -ECANCELED once the server has stopped
   * @throws (rejects with) what a callback throws; the server is whole then
   */
  async iterate(): Promise<number> {
    if (this.#state === 'stopped') return -errno.ECANCELED;
    if (this.#waiting) return this.#tapdisk3 ? this.scheduler.waitForEvents() : -errno.EDEADLK;
    this.#waiting = true;
    try {
      return await this.scheduler.waitForEvents();
    } finally {
      this.#waited();
    }
  }

  /**
   * Iterates until the server is stopped (C: tapdisk_server_run).
   *
   * An event whose descriptor is not open makes every select fail: it is named to the logger and unregistered. In C the
   * loop spins.
   *
   * @throws (rejects with) what a callback throws, and an Error with the errno's name as `code` after
   *   {@link MAX_FAILED_WAITS} failed waits in a row; the server can be run again. An Error when it is running already.
   */
  async run(options: RunOptions = {}): Promise<void> {
    if (this.#waiting) throw new Error('the server is running already');
    const stop = (): void => this.stop();
    using _signals = onSignals(options.signals === false ? {} : this.#signalHandlers());
    if (options.signal?.aborted) stop();
    const forget = whenAborted(options.signal, stop);
    this.#waiting = true;
    try {
      await this.#loop();
    } finally {
      forget();
      this.#waited();
    }
  }

  /** Ends the run, and the server's use: at once when it is idle, else when the wait under way has ended. Idempotent. */
  stop(): void {
    if (this.#state !== 'live') return;
    this.#state = 'stopping';
    if (this.#waiting) this.#poller.shorten(0);
    else this.#closeDown();
  }

  /** Stops the server and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    if (this.#state !== 'stopped') await new Promise<void>((resolve) => this.#whenStopped.push(resolve));
  }

  /** The tables of events and descriptors, for a person to read (C: tapdisk_server_debug). */
  dump(): string {
    const now = this.#clock.now();
    const from = this.#tapdisk3 === undefined ? Math.floor(now) : now;
    return dumpTables(this.scheduler.events(), this.posix.openDescriptors(), from);
  }

  /** Waits again and again without a promise a wait; fulfilled when the server is no longer live. */
  #loop(): Promise<void> {
    return new Promise((resolve, reject) => {
      let failures = 0;
      const next = (): void => {
        if (this.#state === 'live') this.scheduler.waitThen(answered, reject);
        else resolve();
      };
      const answered = (answer: number): void => {
        failures = answer < 0 ? failures + 1 : 0;
        if (answer < 0) {
          try {
            this.#recover(answer, failures);
          } catch (error) {
            reject(error);
            return;
          }
        }
        next();
      };
      next();
    });
  }

  #signalHandlers(): Parameters<typeof onSignals>[0] {
    return {
      SIGINT: () => {
        this.logger.log(LOG_INFO, 'SIGINT: closing down');
        this.stop();
      },
      SIGUSR1: () => this.logger.log(LOG_INFO, this.dump().trimEnd().replaceAll('\n', '\n    ')),
    };
  }

  async #once(
    mode: EventMode,
    fd: Descriptor,
    timeoutSeconds: number,
    options: AwaitOptions = {},
  ): Promise<void> {
    const waiting = new OneFiring(this, options);
    this.#firings.add(waiting);
    try {
      await waiting.of(mode, fd, timeoutSeconds);
    } finally {
      this.#firings.delete(waiting);
    }
  }

  #waited(): void {
    this.#waiting = false;
    if (this.#state === 'stopping') this.#closeDown();
  }

  #closeDown(): void {
    this.#state = 'stopped';
    for (const { id } of [...this.scheduler.events()]) this.scheduler.unregisterEvent(id);
    this.#poller.close();
    if (this.#ownsPosix) {
      for (const { fd } of this.posix.openDescriptors()) this.posix.close(fd);
    }
    for (const waiting of this.#firings) waiting.cancel();
    for (const stopped of this.#whenStopped) stopped();
  }

  #recover(answer: number, failures: number): void {
    const name = errnoCode(answer);
    if (failures >= MAX_FAILED_WAITS) {
      throw new SystemError(answer, `${failures} waits in a row failed, the last with ${name}`);
    }
    if (answer !== -errno.EBADF) this.logger.log(LOG_WARNING, `a wait failed with ${name}`);
    for (const { id, fd } of this.scheduler.eventsOnBadDescriptors()) {
      this.logger.log(LOG_ERR, `event ${id} is unregistered: its descriptor ${fd} is not open`);
      this.scheduler.unregisterEvent(id);
    }
  }

  #warn(warning: SchedulerWarning): void {
    this.logger.log(warning.kind === 'bad-descriptor' ? LOG_ERR : LOG_WARNING, warning.message);
  }
}
