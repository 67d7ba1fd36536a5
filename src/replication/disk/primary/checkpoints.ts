// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { Done } from '../local-disk.js';

/** How many checkpoints may be on their way. */
export const MAX_COMMITTING = 16;

/** A checkpoint that was closed and is not acked. */
interface Closed {
  readonly epoch: number;
  readonly atSeconds: number;
  readonly bytes: number;
  readonly waiters: readonly Done[];
}

/** How a checkpoint ended. */
export interface EndedCheckpoint {
  readonly epoch: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly failure: string | null;
}

export interface CheckpointsParts {
  readonly nowSeconds: () => number;
  readonly onEnd: (ended: EndedCheckpoint) => void;
}

/** The callbacks that wait for each checkpoint, and when it was closed. Each is called exactly once. */
export class Checkpoints {
  readonly #parts: CheckpointsParts;
  /** They wait for a checkpoint that is closed from now on. */
  #requested: Done[] = [];
  #closed: Closed[] = [];
  #openBytes = 0;
  /** When what the backup has was the disk; undefined: not known. */
  #ackedAtSeconds: number | undefined;
  /** A commit waits for the metadata: what is asked for meanwhile shares the next one. */
  isClosing = false;
  count = 0;
  failed = 0;

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  get openBytes(): number {
    return this.#openBytes;
  }
  get ackedAtSeconds(): number | undefined {
    return this.#ackedAtSeconds;
  }
  get isRequested(): boolean {
    return this.#requested.length > 0;
  }
  /** Whether another one may be closed now. */
  get mayClose(): boolean {
    return !this.isClosing && this.#closed.length < MAX_COMMITTING;
  }
  get committing(): number {
    return this.#closed.length;
  }

  /** Completes with the epoch of a checkpoint that is closed from now on, once it is acked, or with a negative errno. */
  want(done: Done): void {
    this.#requested.push(done);
  }

  wrote(bytes: number): void {
    this.#openBytes += bytes;
  }

  close(epoch: number): void {
    const atSeconds = this.#parts.nowSeconds();
    this.#closed.push({ epoch, atSeconds, bytes: this.#openBytes, waiters: this.#requested });
    this.#requested = [];
    this.#openBytes = 0;
  }

  acked(epoch: number): void {
    const ended = this.#closed.filter((closed) => closed.epoch <= epoch);
    this.#closed = this.#closed.filter((closed) => closed.epoch > epoch);
    const now = this.#parts.nowSeconds();
    for (const { epoch: itsEpoch, atSeconds, bytes, waiters } of ended) {
      this.count += 1;
      this.#ackedAtSeconds = atSeconds;
      this.#parts.onEnd({ epoch: itsEpoch, seconds: Math.max(now - atSeconds, 0), bytes, failure: null });
      for (const done of waiters) done(itsEpoch);
    }
  }

  /** Checkpoints closed from `epoch` on are void, and so is the open one. Those who wait for one that is not closed keep waiting. */
  dropFrom(epoch: number, failure: string): void {
    const dropped = this.#closed.filter((closed) => closed.epoch >= epoch);
    this.#closed = this.#closed.filter((closed) => closed.epoch < epoch);
    this.#openBytes = 0;
    const now = this.#parts.nowSeconds();
    for (const { epoch: itsEpoch, atSeconds, bytes, waiters } of dropped) {
      this.failed += 1;
      this.#parts.onEnd({ epoch: itsEpoch, seconds: Math.max(now - atSeconds, 0), bytes, failure });
      for (const done of waiters) done(-errno.ECONNABORTED);
    }
  }

  /** Nobody waits any more. */
  refuse(result: number): void {
    const requested = this.#requested;
    this.#requested = [];
    for (const done of requested) done(result);
  }
}
