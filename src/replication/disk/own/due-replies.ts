// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { ProtocolError } from '../wire/frame.js';

/**
 * Which replies a backup may send: those to what it was sent on this connection. One that names anything else would count as
 * committed, or as stored, what the backup has never seen.
 */
export class DueReplies {
  /** Epochs whose commits have no reply, ascending; as many as there may be on their way. */
  #commits: number[] = [];
  #stored = 0;
  #sentData: number | undefined;
  /** Compares without a reply; as many as are asked at a time. */
  readonly #compares = new Set<number>();

  /** The commit of this epoch goes to the backup. */
  sentCommit(epoch: number): void {
    this.#commits.push(epoch);
  }
  /** @returns the sequence */
  sentData(sequence: number): number {
    this.#sentData = sequence;
    return sequence;
  }
  /** @returns the sequence */
  asked(sequence: number): number {
    this.#compares.add(sequence);
    return sequence;
  }

  /** @returns the epoch, which stands for earlier ones too @throws ProtocolError if no commit of it waits for its reply */
  done(epoch: number): number {
    if (!this.#commits.includes(epoch)) {
      const expected = this.#commits.length > 0 ? `expected ${this.#commits.join(' or ')}` : 'expected none';
      throw new ProtocolError(`done names epoch ${epoch}, ${expected}`);
    }
    this.#commits = this.#commits.filter((sent) => sent > epoch);
    return epoch;
  }

  /** Commits from this epoch on are void: they get no reply. */
  failed(epoch: number): void {
    this.#commits = this.#commits.filter((sent) => sent < epoch);
  }

  /** @returns the sequence @throws ProtocolError if it is below an earlier one, or above that of all sync data */
  progress(sequence: number): number {
    const last = this.#sentData;
    if (last === undefined)
      throw new ProtocolError(`progress names frame ${sequence}, but no sync data were sent`);
    if (sequence < this.#stored || sequence > last)
      throw new ProtocolError(`progress names frame ${sequence}, expected ${this.#stored} to ${last}`);
    this.#stored = sequence;
    return sequence;
  }

  /** @returns the sequence @throws ProtocolError if no compare of it waits for its reply */
  compared(sequence: number): number {
    if (!this.#compares.delete(sequence))
      throw new ProtocolError(
        `compared names frame ${sequence}, which is not a compare that waits for its reply`,
      );
    return sequence;
  }
}
