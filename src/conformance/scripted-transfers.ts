// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../posix/posix.js';
import { tracedResult } from './error-names.js';
import { OutcomeList, outcomeResult } from './outcome-list.js';
import type { TraceEntry, TransferOutcomes } from './vector.js';

/**
 * read and write of a script of the suite `async-io`: each moves as many bytes as the script says, at most what is asked
 * for, and leaves a `sys` entry in the trace. A buffer has to begin where the memory under it does.
 */
export class ScriptedTransfers implements Pick<Posix, 'read' | 'write'> {
  readonly #record: (entry: TraceEntry) => void;
  readonly #outcomes: Readonly<Record<'read' | 'write', OutcomeList<string | number>>>;

  constructor(outcomes: TransferOutcomes, record: (entry: TraceEntry) => void) {
    this.#record = record;
    this.#outcomes = { read: new OutcomeList(outcomes.read), write: new OutcomeList(outcomes.write) };
  }

  read(fd: number, buffer: Uint8Array): number {
    return this.#transferred('read', fd, buffer);
  }

  write(fd: number, bytes: Uint8Array): number {
    return this.#transferred('write', fd, bytes);
  }

  #transferred(call: 'read' | 'write', fd: number, part: Uint8Array): number {
    const outcome = this.#outcomes[call].take() ?? part.length;
    const result = typeof outcome === 'string' ? outcomeResult(outcome) : Math.min(outcome, part.length);
    this.#record(['sys', call, fd, part.byteOffset, part.length, tracedResult(result)]);
    return result;
  }
}
