// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Counts calls that are under way, for those who have to wait for their end: as the close of the file that they use. */
export class UnderWay {
  #count = 0;
  #waiting: (() => void)[] = [];
  /** What the last one that failed has ended with, a negative errno; 0: none has failed. */
  failure = 0;

  /** One more, which is under way until what is returned was called, and `done` has returned. */
  begin<Result>(done: (result: Result) => void): (result: Result) => void {
    this.#count += 1;
    return (result) => {
      if (typeof result === 'number' && result < 0) this.failure = result;
      done(result);
      this.#count -= 1;
      if (this.#count > 0) return;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const then of waiting) then();
    };
  }

  /** Calls `then` once there is none, maybe before this returns. */
  whenNone(then: () => void): void {
    if (this.#count === 0) then();
    else this.#waiting.push(then);
  }

  /** Resolves once there is none. */
  none(): Promise<void> {
    return new Promise((resolve) => {
      this.whenNone(resolve);
    });
  }
}
