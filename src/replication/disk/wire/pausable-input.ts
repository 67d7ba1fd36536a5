// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Hands the bytes of a stream to a reader, message by message, and keeps what comes while the reader is paused. */
export class PausableInput {
  readonly #next: (bytes: Uint8Array) => number;
  readonly #isPaused: () => boolean;
  /** What came after the reader was paused. */
  #rest: Uint8Array | undefined;

  /**
   * @param next takes bytes up to the end of a message at most, and returns how many
   * @param isPaused is asked before each message; while it returns true, what comes is kept
   */
  constructor(next: (bytes: Uint8Array) => number, isPaused: () => boolean) {
    this.#next = next;
    this.#isPaused = isPaused;
  }

  /** Whether bytes are kept that the reader has not taken. */
  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  push(chunk: Uint8Array): void {
    if (this.#rest === undefined) this.#run(chunk);
    else this.#rest = Buffer.concat([this.#rest, chunk]);
  }

  /** Goes on with what was kept. */
  resume(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    this.#rest = undefined;
    this.#run(rest);
  }

  #run(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#isPaused()) {
        this.#rest = Uint8Array.from(chunk.subarray(at));
        return;
      }
      at += this.#next(chunk.subarray(at));
    }
  }
}
