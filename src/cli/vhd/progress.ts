// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** A line on a terminal that says how far long work is; nothing where there is no terminal. */
export class Progress {
  readonly #out: { write(text: string): unknown; readonly isTTY?: boolean };
  #percent = -1;

  constructor(out: { write(text: string): unknown; readonly isTTY?: boolean }) {
    this.#out = out;
  }

  /** Shows only whole percents, so that much work does not mean many lines. */
  show(what: string, done: number, total: number): void {
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    if (this.#out.isTTY !== true || percent === this.#percent) return;
    this.#percent = percent;
    this.#out.write(`\r${what}: ${percent} %`);
  }

  /** Ends the line, if there is one. */
  end(): void {
    if (this.#percent >= 0) this.#out.write('\n');
    this.#percent = -1;
  }
}
