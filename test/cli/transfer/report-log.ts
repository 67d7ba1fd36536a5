// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Readable } from 'node:stream';

/** What a command reports with --json, an object a line. */
export type Report = Record<string, unknown> & { event: string };

/** The reports of a command, from its standard error, and a way to wait for them. */
export class ReportLog {
  readonly reports: Report[] = [];
  /** The lines that are no report. */
  readonly complaints: string[] = [];
  #rest = '';
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(stderr: Readable) {
    stderr.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The first report of an event that is as wanted, as soon as it is there. */
  async report(event: string, isWanted: (report: Report) => boolean = () => true): Promise<Report> {
    for (;;) {
      const found = this.reports.find((report) => report.event === event && isWanted(report));
      if (found !== undefined) return found;
      if (this.#ended) {
        const all = [...this.reports.map((report) => JSON.stringify(report)), ...this.complaints];
        throw new Error(`it ended without ${event}: ${all.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('{')) this.reports.push(JSON.parse(line) as Report);
      else this.complaints.push(line);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
