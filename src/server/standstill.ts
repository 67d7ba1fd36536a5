// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** How long something has stayed the same, as far as those see who look at it now and then. */
export class Standstill {
  #since: { readonly state: string | undefined; readonly at: number } | undefined;

  /**
   * @param state undefined while a change is not expected
   * @param now in seconds
   * @returns for how many seconds it has been in this state; 0 without one
   */
  seconds(state: string | undefined, now: number): number {
    if (state === undefined || state !== this.#since?.state) this.#since = { state, at: now };
    return now - this.#since.at;
  }
}
