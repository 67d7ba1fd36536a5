// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { setTimeout as delay } from 'node:timers/promises';
import type { NodePosix } from '../../src/posix/index.js';
import { queryStatus, StatusError } from '../../src/status/status-client.js';

/** What the answers to status requests took, in milliseconds. */
export interface Latencies {
  readonly answered: number;
  readonly median: number;
  readonly slowest: number;
}

const PAUSE_MS = 20;
/** What a request meets where no process serves the socket any more. */
const WITHOUT_SERVER: ReadonlySet<string> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  // It has gone between the connection and the request.
  'EPIPE',
]);

/** Asks a process for its status over and over, and takes the time of each answer. */
export class StatusWatch {
  readonly #posix: NodePosix;
  readonly #path: string;
  /** By what the process did at the time. */
  readonly #times = new Map<string, number[]>();
  readonly #done: Promise<void>;
  #isOver = false;

  /**
   * Starts at once; the process has its socket soon.
   *
   * @param exit resolves when the process has ended: no more is asked then
   */
  constructor(posix: NodePosix, path: string, exit: Promise<unknown>) {
    this.#posix = posix;
    this.#path = path;
    void this.#endAfter(exit);
    this.#done = this.#watch();
    // Whoever calls end hears of it; until then it must not end this process.
    this.#done.catch(() => {});
  }

  /** Resolves when the process has ended. @throws (rejects with) why a request was not answered while it was there */
  async end(): Promise<void> {
    await this.#done;
  }

  /** The answers that had one of the states of the connection. */
  latencies(states: readonly string[]): Latencies {
    const times = states.flatMap((state) => this.#times.get(state) ?? []).sort((a, b) => a - b);
    return {
      answered: times.length,
      median: times[Math.floor(times.length / 2)] ?? Number.NaN,
      slowest: times.at(-1) ?? Number.NaN,
    };
  }

  async #endAfter(exit: Promise<unknown>): Promise<void> {
    await exit;
    this.#isOver = true;
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      await this.#ask();
      await delay(PAUSE_MS);
    }
  }

  async #ask(): Promise<void> {
    const asked = performance.now();
    try {
      const { state } = (await queryStatus(this.#posix, this.#path)) as { state: string };
      const times = this.#times.get(state) ?? [];
      times.push(performance.now() - asked);
      this.#times.set(state, times);
    } catch (error) {
      const isGone = error instanceof StatusError && WITHOUT_SERVER.has(error.code);
      // Before its first answer the process is starting; without its socket, or cut off in mid-answer, it has ended.
      if (!isGone) throw error;
    }
  }
}
