// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { endGroup, startGroup } from '../posix/node/program.js';
import { nodeTimers, type Timers } from '../posix/timers.js';
import { ImplementationUnavailable } from './implementation.js';

/** The longest line that an adapter may answer, in characters. */
export const MAX_ANSWER_LENGTH = 2 ** 24;
/** How much of an adapter's standard error is kept for a failure's reason, in characters. */
const MAX_ERROR_OUTPUT = 2000;

/** Errors of starting a program that it will give each time. */
const UNSTARTABLE: ReadonlySet<string> = new Set([
  'ENOENT',
  'EACCES',
  'ENOTDIR',
  'ENOEXEC',
  'ELOOP',
  'EISDIR',
]);

/** Why there is no line: the process could not be started, has ended, is silent, or says too much. */
export class AdapterFailure extends Error {
  override readonly name = 'AdapterFailure';
}

/**
 * One run of an adapter: lines go to its standard input, and lines come from its standard output, one for each.
 *
 *     idle --ask--> asked --line--> idle
 *     idle, asked --it ends, closes its output, says too much, or is stopped--> ended
 */
export class AdapterProcess {
  /** Undefined when it could not be started. */
  readonly #child: ChildProcessWithoutNullStreams | undefined;
  /** What has been received of a reply's line so far. */
  #buffered = '';
  #errorOutput = '';
  #failure: string | undefined;
  #canStart = true;
  #waiting: { resolve(line: string): void; reject(error: Error): void } | undefined;
  readonly #closed: Promise<void>;
  readonly #timers: Timers;

  constructor(program: string, args: readonly string[], timers: Timers = nodeTimers) {
    this.#timers = timers;
    const onFailure = (error: NodeJS.ErrnoException): void => {
      this.#canStart = !UNSTARTABLE.has(error.code ?? '');
      this.#fail(`cannot start ${program}: ${error.message}`);
    };
    const child = startGroup(program, args, { stdio: 'pipe' }, onFailure) as
      | ChildProcessWithoutNullStreams
      | undefined;
    this.#child = child;
    this.#closed = child ? this.#follow(child) : Promise.resolve();
  }

  /** Whether it is of no use any more. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Sends a line and returns the line that comes back.
   *
   * @throws (rejects with) AdapterFailure, ImplementationUnavailable when the program cannot be started at all; the process is
   *   of no use any more then
   */
  async ask(line: string, timeoutSeconds: number): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#failure !== undefined) this.#fail(this.#failure);
    });
    this.#child?.stdin.write(`${line}\n`);
    const timer = this.#timers.setTimeout(
      () => this.kill(`no answer within ${timeoutSeconds} s`),
      timeoutSeconds * 1000,
    );
    try {
      return await answer;
    } finally {
      this.#timers.clearTimeout(timer);
    }
  }

  /** Ends it at once, with all that it has started; whatever waits for an answer fails with this reason. */
  kill(reason: string): void {
    this.#fail(reason);
    if (!this.#child) return;
    endGroup(this.#child);
    // A process that has left the group may keep the pipes open.
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  /** Closes its input, which asks it to exit; kills it if it has not within the time. */
  async stop(timeoutSeconds: number): Promise<void> {
    this.#child?.stdin.end();
    const timer = this.#timers.setTimeout(
      () => this.kill('it did not end at the end of its input'),
      timeoutSeconds * 1000,
    );
    await this.#closed;
    this.#timers.clearTimeout(timer);
  }

  /** @returns fulfilled when it has ended and closed its output */
  #follow(child: ChildProcessWithoutNullStreams): Promise<void> {
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#received(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-MAX_ERROR_OUTPUT);
    });
    // What is written to a process that has ended is lost; `close` reports that it has ended.
    child.stdin.on('error', () => {});
    return new Promise((resolve) => {
      child.on('close', (status, signal) => {
        const how = signal === null ? `with exit status ${status}` : `by ${signal}`;
        this.#fail(`the adapter ended ${how} without a reply`);
        endGroup(child);
        resolve();
      });
    });
  }

  #received(text: string): void {
    const end = text.indexOf('\n');
    if (end < 0 || this.#waiting === undefined) {
      this.#buffered += text;
    } else {
      this.#waiting.resolve(this.#buffered + text.slice(0, end));
      this.#waiting = undefined;
      this.#buffered = text.slice(end + 1);
    }
    if (this.#waiting === undefined && this.#buffered !== '') this.kill('output that was not asked for');
    else if (this.#buffered.length > MAX_ANSWER_LENGTH)
      this.kill(`an answer of more than ${MAX_ANSWER_LENGTH} characters`);
  }

  #fail(reason: string): void {
    this.#failure ??=
      this.#errorOutput === ''
        ? reason
        : `${reason}; its standard error ends:\n${this.#errorOutput.trimEnd()}`;
    const reject = this.#canStart ? AdapterFailure : ImplementationUnavailable;
    this.#waiting?.reject(new reject(this.#failure));
    this.#waiting = undefined;
  }
}
