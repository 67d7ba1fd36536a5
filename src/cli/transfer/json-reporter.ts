// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { shownText } from '../../server/shown-text.js';
import { type Priority, priorityName } from '../../server/logger.js';
import {
  Interval,
  shouldReport,
  isWorth,
  type Reporter,
  type ReportedEvent,
  type ReporterOptions,
} from './reporter.js';

/** The minimum interval between progress reports, in seconds. */
const PROGRESS_INTERVAL = 1;

/** Reports for machines: a JSON object a line. */
export class JsonReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #interval: Interval;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#interval = new Interval(options.clock, PROGRESS_INTERVAL);
  }

  onEvent(event: ReportedEvent): void {
    this.#write(event);
  }

  onProgress(): void {
    this.tick();
  }

  tick(): void {
    if (!this.#interval.isOver()) return;
    const status = this.#options.status();
    if (isWorth(status)) this.#write({ event: 'progress', ...status });
  }

  log(priority: Priority, message: string): void {
    if (!shouldReport(priority, this.#options)) return;
    this.#write({ event: 'log', priority: priorityName(priority), message: message.trimEnd() });
  }

  dump(text: string): void {
    this.#write({ event: 'dump', ...this.#options.status(), text });
  }

  end(): void {}

  #write(object: object): void {
    this.#options.stream.write(`${shownText(JSON.stringify(object))}\n`);
  }
}
