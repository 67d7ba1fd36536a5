// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { createHash, type Hash } from 'node:crypto';

/** How many lines a trace keeps unless set otherwise. */
export const DEFAULT_TRACE_LINES = 200_000;

/**
 * What happened in a world, a line each: the time in seconds since its beginning, who, what.
 *
 *     0.000213 10.0.0.1 connect(3, 10.0.0.2:9000) = -EINPROGRESS
 *
 * The same seed gives the same lines, byte for byte. The newest lines are kept; all of them enter the digest.
 */
export class Trace {
  readonly enabled: boolean;
  readonly #limit: number;
  #lines: string[] = [];
  #dropped = 0;
  #digestOfDropped: Hash = createHash('sha256');

  /**
   * @param limit how many of the newest lines are kept, at least; at most twice as many. 0: nothing is traced.
   * @throws RangeError unless a whole number of 0 or more
   */
  constructor(limit: number = DEFAULT_TRACE_LINES) {
    if (!Number.isSafeInteger(limit) || limit < 0) throw new RangeError(`a trace cannot keep ${limit} lines`);
    this.#limit = limit;
    this.enabled = limit > 0;
  }

  /** @param what a text, or what makes it if anything is traced */
  add(atMicroseconds: number, who: string, what: string | (() => string)): void {
    if (!this.enabled) return;
    const text = typeof what === 'string' ? what : what();
    this.#lines.push(`${(atMicroseconds / 1e6).toFixed(6).padStart(11)} ${who} ${text}`);
    if (this.#lines.length >= 2 * this.#limit) this.#dropOldest();
  }

  /** The lines that are kept, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How many older lines are not kept any more. */
  get dropped(): number {
    return this.#dropped;
  }

  /** SHA-256 over every line there was. */
  digest(): string {
    return this.#digestOfDropped.copy().update(textOf(this.#lines)).digest('hex');
  }

  /** The lines that are kept, each ended by a newline. */
  toString(): string {
    return textOf(this.#lines);
  }

  #dropOldest(): void {
    const oldest = this.#lines.splice(0, this.#lines.length - this.#limit);
    this.#digestOfDropped.update(textOf(oldest));
    this.#dropped += oldest.length;
  }
}

function textOf(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
