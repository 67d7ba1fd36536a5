// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { GREETING, MAX_VERDICT_BYTES, parseVerdict, type Verdict } from './wire.js';

/** The first line, and a greeting that may come before it. */
const MAX_ANSWER_BYTES = MAX_VERDICT_BYTES + GREETING.length;
const greetingLine = GREETING.toString('latin1').trimEnd();

/**
 * What a backup says once the image is on its way: its verdict is the first line, but for a greeting that came late.
 *
 * Another program may say anything, an echo of the image for instance: anything but a verdict is discarded, however much it is.
 */
export class BackupAnswer {
  #line = '';
  #verdict: Verdict | undefined;
  #isLine = false;

  /** The verdict, once it has come. */
  get verdict(): Verdict | undefined {
    return this.#verdict;
  }

  /** What has come is no verdict: its first line is none, or is longer than any. */
  get isOther(): boolean {
    return this.#isLine && this.#verdict === undefined;
  }

  take(bytes: Uint8Array): void {
    if (this.#isLine) return;
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
      'latin1',
      0,
      MAX_ANSWER_BYTES,
    );
    if (this.#line.startsWith(`${greetingLine}\n`)) this.#line = this.#line.slice(greetingLine.length + 1);
    const end = this.#line.indexOf('\n');
    if (end >= 0 && end < MAX_VERDICT_BYTES) this.#verdict = parseVerdict(this.#line.slice(0, end));
    this.#isLine = end >= 0 || this.#line.length >= MAX_VERDICT_BYTES;
  }
}
