// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { programArguments } from '../program.js';

const main = programArguments('src/cli/main.ts');

/** A line that a process reports with --json; any other line is the report `line`. */
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
    this.#child = spawn(process.execPath, [...main, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = this.#child.pid;
    this.exit = this.#ended();
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#take(line));
    }
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

  /** The first line of text, past or to come, that matches. Rejects when the process ends without it. */
  async line(pattern: RegExp): Promise<string> {
    const said = new Promise<string>((resolve) => {
      this.onReport(({ event, line }) => {
        if (event === 'line' && pattern.test(String(line))) resolve(String(line));
      });
    });
    const ended = this.exit.then((status) => {
      throw new Error(`the ${this.name} ended with ${status} before it said ${pattern}`);
    });
    return Promise.race([said, ended]);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async #ended(): Promise<number | string> {
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null];
    return code ?? signal ?? 'unknown';
  }

  #take(line: string): void {
    const report = line.startsWith('{') ? (JSON.parse(line) as Report) : { event: 'line', line };
    this.#reports.push(report);
    this.#onReport(report);
  }
}
