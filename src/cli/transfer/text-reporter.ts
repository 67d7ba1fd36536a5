// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownMessage, shownText } from '../../server/shown-text.js';
import { type Priority, priorityName } from '../../server/logger.js';
import type { TransferEvent } from '../../transfer/transfer-event.js';
import { isoTime } from '../../posix/clock.js';
import { columnsOf } from '../command-io.js';
import { describeEvent } from './describe.js';
import { describeProgress } from './progress.js';
import {
  Interval,
  shouldReport,
  isWorth,
  type Reporter,
  type ReportedEvent,
  type ReporterOptions,
} from './reporter.js';

/** What happens again every second while a backup is not there: an attempt that goes as the one before is no news. */
const connecting: ReadonlySet<TransferEvent['event']> = new Set(['retrying', 'established', 'turned-away']);

/** The minimum interval between progress reports, in seconds. */
const TERMINAL_INTERVAL = 0.1;
const PLAIN_INTERVAL = 10;
const CLEAR_LINE = '\r\u001B[2K';

/** Reports for people: lines, and, on a terminal, below them one on progress that changes in place. */
export class TextReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #interval: Interval;
  readonly #isTerminal: boolean;
  #shown = '';
  /** The last report of each kind of event that repeats, and of each address that is tried in turn. */
  readonly #lastTexts = new Map<string, string>();

  constructor(options: ReporterOptions) {
    const isTerminal = options.stream.isTTY === true && process.env['TERM'] !== 'dumb';
    this.#options = options;
    this.#isTerminal = isTerminal;
    this.#interval = new Interval(options.clock, isTerminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL);
  }

  onEvent(event: ReportedEvent): void {
    const text = describeEvent(this.#options.role, event);
    const kind = `${event.event} ${this.#options.status()?.address}`;
    if (!connecting.has(event.event)) this.#lastTexts.clear();
    else if (this.#lastTexts.get(kind) === text) return this.#show();
    this.#lastTexts.set(kind, text);
    this.#lines(text);
    return this.#show();
  }

  onProgress(): void {
    this.tick();
  }

  tick(): void {
    if (!this.#interval.isOver()) return;
    const status = this.#options.status();
    if (this.#isTerminal) this.#show();
    else if (isWorth(status)) this.#lines(shownText(describeProgress(status)));
  }

  log(priority: Priority, message: string): void {
    if (shouldReport(priority, this.#options))
      this.#lines(`${priorityName(priority)}: ${shownMessage(message.trimEnd())}`);
  }

  dump(text: string): void {
    const status = this.#options.status();
    if (status !== undefined) this.#lines(shownText(describeProgress(status)));
    this.#lines(text.trimEnd());
  }

  end(): void {
    this.#clear();
  }

  #lines(text: string): void {
    this.#clear();
    const { stream, times } = this.#options;
    const start = times === undefined || this.#isTerminal ? '' : `${isoTime(times.now())} `;
    for (const line of text.split('\n')) stream.write(`${start}tapdisk-ts: ${line}\n`);
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
    const line = shownText(describeProgress(status, columnsOf(stream) - 1));
    if (line === this.#shown) return;
    this.#shown = line;
    stream.write(`${CLEAR_LINE}${line}`);
  }
}
