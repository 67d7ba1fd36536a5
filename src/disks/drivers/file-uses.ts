// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

type Call<Result> = (done: (result: Result) => void) => void;

/** Calls that use an open file and may end after all requests have: its close waits for them. */
export class FileUses {
  #underWay = 0;
  #onNone: (() => void) | undefined;

  /** Makes a call; the file is in use until `done` has returned. */
  during<Result>(call: Call<Result>, done: (result: Result) => void): void {
    this.#underWay++;
    call((result) => {
      done(result);
      this.#underWay--;
      this.#check();
    });
  }

  /** Runs `then` once no call is under way, maybe before this returns. */
  whenNone(then: () => void): void {
    this.#onNone = then;
    this.#check();
  }

  #check(): void {
    if (this.#underWay > 0) return;
    const then = this.#onNone;
    this.#onNone = undefined;
    then?.();
  }
}
