// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../../posix/clock.js';
import type { Logger, Priority } from '../logger.js';
import { LOG_DEBUG, LOG_ERR, priorityName } from '../logger.js';
import type { TransferEvent, TransferObserver } from '../transfer/transfer-event.js';
import type { TransferStatus } from '../transfer/transfer-status.js';
import { describeEvent, describeProgress } from './describe.js';

/** What happens again every second while a backup is not there: an attempt that goes as the one before is no news. */
const connecting: ReadonlySet<TransferEvent['event']> = new Set(['retrying', 'established', 'turned-away']);

/** How often progress is told at most, in seconds. */
const TERMINAL_INTERVAL = 0.1;
const JSON_INTERVAL = 1;
const PLAIN_INTERVAL = 10;
const CLEAR_LINE = '\r\u001B[2K';

/** Where reports go: standard error, which is never where the image goes. */
export interface ReportStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Of a terminal. */
  readonly columns?: number;
}

export interface ReporterOptions {
  readonly stream: ReportStream;
  readonly clock: Clock;
  /** A JSON object a line, instead of text. */
  readonly json: boolean;
  /** Tell what the connect module logs, too. */
  readonly verbose: boolean;
  readonly role: TransferStatus['role'];
  /** What is going on at the moment; undefined before anything is. */
  readonly status: () => TransferStatus | undefined;
}

/** A role's reports: events as they happen, progress now and then. */
export interface Reporter extends TransferObserver, Logger {
  /** Time has passed. */
  tick(): void;
  /** Something that was asked for, in several lines perhaps. */
  dump(text: string): void;
  /** No progress will follow. */
  end(): void;
}

/** JSON lines when they are asked for; on a terminal a line that changes in place; plain lines else. */
export function createReporter(options: ReporterOptions): Reporter {
  if (options.json) return new JsonReporter(options);
  const isTerminal = options.stream.isTTY === true && process.env['TERM'] !== 'dumb';
  return new TextReporter(options, isTerminal);
}

/** Tells progress at most once in an interval, and not before the first one is over. */
class Interval {
  readonly #clock: Clock;
  readonly #seconds: number;
  #last: number;

  constructor(clock: Clock, seconds: number) {
    this.#clock = clock;
    this.#seconds = seconds;
    this.#last = clock.now();
  }

  isOver(): boolean {
    const now = this.#clock.now();
    if (now - this.#last < this.#seconds) return false;
    this.#last = now;
    return true;
  }
}

class JsonReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #interval: Interval;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#interval = new Interval(options.clock, JSON_INTERVAL);
  }

  happened(event: TransferEvent): void {
    this.#write(event);
  }

  moved(): void {
    this.tick();
  }

  tick(): void {
    if (!this.#interval.isOver()) return;
    const status = this.#options.status();
    if (isWorth(status)) this.#write({ event: 'progress', ...status });
  }

  log(priority: Priority, message: string): void {
    if (!isWanted(priority, this.#options)) return;
    this.#write({ event: 'log', priority: priorityName(priority), message: message.trimEnd() });
  }

  dump(text: string): void {
    this.#write({ event: 'dump', ...this.#options.status(), text });
  }

  end(): void {}

  #write(object: object): void {
    this.#options.stream.write(`${JSON.stringify(object)}\n`);
  }
}

class TextReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #interval: Interval;
  readonly #isTerminal: boolean;
  #shown = '';
  /** What was told last of each kind of event that repeats itself. */
  readonly #told = new Map<TransferEvent['event'], string>();

  constructor(options: ReporterOptions, isTerminal: boolean) {
    this.#options = options;
    this.#isTerminal = isTerminal;
    this.#interval = new Interval(options.clock, isTerminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL);
  }

  happened(event: TransferEvent): void {
    const text = describeEvent(this.#options.role, event);
    if (!connecting.has(event.event)) this.#told.clear();
    else if (this.#told.get(event.event) === text) return this.#show();
    this.#told.set(event.event, text);
    this.#lines(text);
    return this.#show();
  }

  moved(): void {
    this.tick();
  }

  tick(): void {
    if (!this.#interval.isOver()) return;
    const status = this.#options.status();
    if (this.#isTerminal) this.#show();
    else if (isWorth(status)) this.#lines(describeProgress(status));
  }

  log(priority: Priority, message: string): void {
    if (isWanted(priority, this.#options)) this.#lines(`${priorityName(priority)}: ${message.trimEnd()}`);
  }

  dump(text: string): void {
    const status = this.#options.status();
    if (status !== undefined) this.#lines(describeProgress(status));
    this.#lines(text.trimEnd());
  }

  end(): void {
    this.#clear();
  }

  #lines(text: string): void {
    this.#clear();
    for (const line of text.split('\n')) this.#options.stream.write(`tapdisk-ts: ${line}\n`);
  }

  #clear(): void {
    if (this.#shown !== '') this.#options.stream.write(CLEAR_LINE);
    this.#shown = '';
  }

  #show(): void {
    const { stream } = this.#options;
    const status = this.#options.status();
    if (!this.#isTerminal || status === undefined) return;
    // A line that wraps could not be cleared.
    const line = describeProgress(status).slice(0, (stream.columns ?? 80) - 1);
    if (line === this.#shown) return;
    this.#shown = line;
    stream.write(`${CLEAR_LINE}${line}`);
  }
}

/** A backup that waits for a primary does so for days perhaps: that is no progress. */
function isWorth(status: TransferStatus | undefined): status is TransferStatus {
  return status !== undefined && (status.role === 'primary' || status.peer !== null);
}

function isWanted(priority: Priority, { verbose }: ReporterOptions): boolean {
  return priority <= (verbose ? LOG_DEBUG : LOG_ERR);
}
