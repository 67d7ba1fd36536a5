// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { CallFault } from './call-faults.js';

/** The faults that calls of one host are to fail by. */
export class FaultList<Name extends string> {
  #faults: CallFault<Name>[] = [];

  /** Makes calls fail; one fault may be several hosts', and then counts the calls of all. */
  add(fault: CallFault<Name>): void {
    this.#faults.push(fault);
  }

  /** The negative answer of a call that is to fail. Every fault counts the call, the oldest that wants it has it. */
  failure(call: Name): number | undefined {
    let failure: number | undefined;
    for (const fault of this.#faults) {
      const answer = fault.next(call, failure !== undefined);
      failure ??= answer;
    }
    if (failure !== undefined) this.#faults = this.#faults.filter(({ isOver }) => !isOver);
    return failure;
  }
}
