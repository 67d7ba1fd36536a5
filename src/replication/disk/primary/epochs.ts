// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Done } from '../local-disk.js';
import type { MetadataFile } from '../metadata-file.js';
import { fork, forked, mustFork } from './fork.js';
import type { PrimaryParts } from './primary-parts.js';

/** The numbers of a primary's checkpoints, and the generation that they are counted in. */
export class Epochs {
  readonly #metadata: MetadataFile;
  readonly #random: PrimaryParts['random'];
  readonly #onFailure: (result: number) => void;
  #closed: number;

  /** @param onFailure the metadata cannot be written */
  constructor({ metadata, random }: PrimaryParts, onFailure: (result: number) => void) {
    this.#metadata = metadata;
    this.#random = random;
    this.#onFailure = onFailure;
    this.#closed = metadata.current.sent;
  }

  /** Of the last checkpoint that was closed; in the metadata it may be the open one's. */
  get closed(): number {
    return this.#closed;
  }
  get open(): number {
    return this.#closed + 1;
  }

  /**
   * The open checkpoint has writes. Before its commit is sent, the metadata have to say durably that it may have been. They do
   * so from its first write on, which takes no time of the commit's.
   */
  reserve(): void {
    const { promoted, sent } = this.#metadata.current;
    if (promoted || sent > this.#closed) return;
    this.#metadata.update({ sent: this.open }, (result) => {
      if (result < 0) this.#onFailure(result);
    });
  }

  /** Closes the open checkpoint. @returns its epoch, which is durable with what else is in the metadata by then */
  close(): number {
    // Two sides that are promoted one after the other in one generation could not be distinguished.
    if (this.#metadata.current.promoted) this.#metadata.note(forked(this.#metadata, this.#random));
    this.reserve();
    this.#closed += 1;
    return this.#closed;
  }

  /** Whether a write without the other side has to wait for a new generation. */
  get mustFork(): boolean {
    return mustFork(this.#metadata, this.#closed);
  }

  /** Begins a new generation; completes when that is durable. */
  fork(done: Done): void {
    // What was only reserved is not distinguished any more from what was sent.
    this.#closed = this.#metadata.current.sent;
    fork(this.#metadata, this.#random, (result) => {
      if (result < 0) this.#onFailure(result);
      done(result);
    });
  }
}
