// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/server/cli/main.ts', import.meta.url));

/** A line that a process reports with --json. */
export interface Report {
  readonly event: string;
  readonly [member: string]: unknown;
}

/** A `tapdisk-ts` process. */
export class Actor {
  readonly name: string;
  readonly pid: number | undefined;
  /** The exit status, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #reports: Report[] = [];
  #onReport: (report: Report) => void = () => {};

  constructor(name: string, argv: readonly string[]) {
    this.name = name;
    const options = ['--import', import.meta.resolve('tsx'), main];
    this.#child = spawn(process.execPath, [...options, ...argv, '--json'], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.pid = this.#child.pid;
    this.exit = this.#ended();
    if (this.#child.stderr) createInterface(this.#child.stderr).on('line', (line) => this.#take(line));
  }

  /** Calls back for every report, those that were there before included. */
  onReport(callback: (report: Report) => void): void {
    this.#onReport = callback;
    this.#reports.forEach(callback);
  }

  /** The report of an event. To be asked for when the process has ended. */
  report(event: string): Report {
    const found = this.#reports.find((report) => report.event === event);
    if (found === undefined) throw new Error(`the ${this.name} did not report: ${event}`);
    return found;
  }

  kill(): void {
    this.#child.kill('SIGTERM');
  }

  async #ended(): Promise<number | string> {
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null];
    return code ?? signal ?? 'unknown';
  }

  #take(line: string): void {
    // What is no report is an error that nobody foresaw.
    const report = line.startsWith('{') ? (JSON.parse(line) as Report) : { event: 'complaint', line };
    this.#reports.push(report);
    this.#onReport(report);
  }
}
