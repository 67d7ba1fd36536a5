// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ResyncStatus } from '../status.js';

/** The resync that is under way, as far as it is, and what all of them have sent. */
export class ResyncProgress {
  /** The resync that the backup's file belongs to; null: the next one is another. */
  id: string | null = null;
  /** The checkpoint that ends it; undefined: it is not closed. */
  end: number | undefined;
  /** All bytes that resyncs of this run have sent. */
  sentBytes = 0;
  #bytes = 0;
  #total = 0;
  #beganAtSeconds = 0;
  #bytesAtBegin = 0;
  readonly #nowSeconds: () => number;

  constructor(nowSeconds: () => number) {
    this.#nowSeconds = nowSeconds;
  }

  /** Bytes of it that are at the backup. */
  get bytes(): number {
    return this.#bytes;
  }

  /** It begins, or goes on, with this many bytes left. */
  begin(leftBytes: number): void {
    this.#total = this.#bytes + leftBytes;
    this.#beganAtSeconds = this.#nowSeconds();
    this.#bytesAtBegin = this.#bytes;
  }

  /** This many bytes are with the backup, for good or in an open checkpoint. */
  stored(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What the backup has of it is of no use any more, or all of it is committed. `id`: it has a part of this one. */
  restart(id: string | null = null): void {
    this.id = id;
    this.end = undefined;
    this.#bytes = 0;
  }

  status(): ResyncStatus {
    const seconds = this.#nowSeconds() - this.#beganAtSeconds;
    const bytesPerSecond = seconds > 0 ? (this.#bytes - this.#bytesAtBegin) / seconds : 0;
    const bytes = Math.min(this.#bytes, this.#total);
    const secondsLeft = bytesPerSecond > 0 ? (this.#total - bytes) / bytesPerSecond : null;
    return { bytes, totalBytes: this.#total, bytesPerSecond, secondsLeft, waitingFor: null };
  }
}
