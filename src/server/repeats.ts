// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Clock } from '../posix/clock.js';

/** The minimum interval between reports with the same cause, in seconds. */
const APART_SECONDS = 1;
/** Further causes are reported as one. */
const MAX_CAUSES = 64;
const OTHERS = 'others';
/** An IPv6 address in brackets, which has letters too, or a number. */
const OF_PEERS = /\[[^\s\]]*:[^\s\]]*\]|\d+/g;

interface Cause {
  reportedAt: number;
  leftOut: number;
  /** Reports the latest that was held back. */
  latest: ((leftOut: number) => void) | undefined;
}

/** The cause of a log line: all of it except numbers and addresses, of which one peer may have any number. */
export function causeOfLine(message: string): string {
  return message.replaceAll(OF_PEERS, '0');
}

/** A report's text, with how many before it were left out. */
export function withLeftOut(text: string, leftOut: number): string {
  return leftOut === 0 ? text : `${text} (and ${leftOut} more of the kind just before)`;
}

/** Suppresses reports that come too often, with which peers could fill the log. The latest one is reported later. */
export class Repeats {
  readonly #clock: Clock;
  readonly #causes = new Map<string, Cause>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a report is held back. */
  get isHolding(): boolean {
    return [...this.#causes.values()].some(({ latest }) => latest !== undefined);
  }

  /** @param tell gets how many before it, of the same cause, were left out */
  tell(name: string, tell: (leftOut: number) => void): void {
    this.flush(false);
    const cause = this.#cause(name);
    if (cause.latest === undefined && this.#clock.now() - cause.reportedAt >= APART_SECONDS) {
      cause.reportedAt = this.#clock.now();
      return tell(0);
    }
    if (cause.latest !== undefined) cause.leftOut += 1;
    cause.latest = tell;
    return undefined;
  }

  /** Reports the lines held back: those that are due, or all of them. */
  flush(all: boolean): void {
    const now = this.#clock.now();
    for (const cause of this.#causes.values()) {
      const { latest, leftOut, reportedAt } = cause;
      if (latest === undefined || (!all && now - reportedAt < APART_SECONDS)) continue;
      Object.assign(cause, { reportedAt: now, leftOut: 0, latest: undefined });
      latest(leftOut);
    }
  }

  #cause(name: string): Cause {
    const known = this.#causes.get(name);
    if (known !== undefined) return known;
    if (this.#causes.size >= MAX_CAUSES && name !== OTHERS) return this.#cause(OTHERS);
    const cause: Cause = { reportedAt: Number.NEGATIVE_INFINITY, leftOut: 0, latest: undefined };
    this.#causes.set(name, cause);
    return cause;
  }
}
