// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { scriptedErrno } from './error-names.js';
import type { Outcome } from './vector.js';

/** Outcomes of one call, handed out in order. */
export class OutcomeList<Item> {
  #next = 0;

  private readonly items: readonly Item[] | undefined;

  constructor(items: readonly Item[] | undefined) {
    this.items = items;
  }

  /** The next outcome; undefined past the end of the list. */
  take(): Item | undefined {
    const item = this.items?.[this.#next];
    this.#next++;
    return item;
  }
}

/** The result of a call with a plain outcome; `success` where it is 0 or the list is at its end. */
export function outcomeResult(outcome: Outcome | undefined, success = 0): number {
  return typeof outcome === 'string' ? -(scriptedErrno(outcome) ?? 0) : success;
}
