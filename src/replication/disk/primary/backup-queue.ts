// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReplicationOptions } from '../options.js';
import type { BackupPeer } from '../sessions.js';

/** After a congestion, writes are streamed again at most once in this many seconds. */
const CALM_SECONDS = 60;

/**
 * What waits to be sent to a backup, against its limits. Where the backup cannot keep up again and again, the disk stays
 * `catching-up` instead of changing its state each time.
 */
export class BackupQueue {
  readonly #limitBytes: number;
  readonly #stallSeconds: number;
  /** The connection that was looked at last, what had been sent by then, and for how long nothing else had been. */
  #last:
    | { readonly peer: BackupPeer; readonly sentBytes: number; readonly stalledSeconds: number }
    | undefined;
  /** The backup could not keep up, and writes have not been streamed since. */
  #isCongested = false;
  /** Since they were streamed again after a congestion. */
  #resumedSeconds = Infinity;

  constructor({ queueBytes, stallSeconds }: Pick<ReplicationOptions, 'queueBytes' | 'stallSeconds'>) {
    this.#limitBytes = queueBytes;
    this.#stallSeconds = stallSeconds;
  }

  isFull(peer: BackupPeer | undefined): boolean {
    return peer !== undefined && peer.queuedBytes >= this.#limitBytes;
  }

  /** Whether writes may be streamed. With the queue full, as after a stall, they would wait for it again. */
  mayStream(peer: BackupPeer): boolean {
    return !this.isFull(peer) && (!this.#isCongested || this.#resumedSeconds >= CALM_SECONDS);
  }

  /** Whether writes wait for the end of a congestion while nothing is on its way: no event of the connection ends that wait. */
  awaitsCalm(peer: BackupPeer): boolean {
    return this.#isCongested && peer.queuedBytes === 0;
  }

  /** The open checkpoint is about to be given up, as the backup cannot keep up: it stalls, or its journal is full. */
  congested(): void {
    this.#isCongested = true;
  }

  /** Writes are streamed again. */
  resumed(): void {
    if (this.#isCongested) this.#resumedSeconds = 0;
    this.#isCongested = false;
  }

  /**
   * Whether a backup has taken nothing for the stall time, though something waits to be sent. To be called again and again, after
   * so many seconds each: periods are counted, not times compared, so that a clock that is set makes no backup late.
   */
  stalls(peer: BackupPeer | undefined, seconds: number): boolean {
    this.#resumedSeconds += seconds;
    if (peer === undefined) return false;
    const { sentBytes } = peer;
    const last = this.#last;
    const tookNothing = last?.peer === peer && last.sentBytes === sentBytes;
    const stalledSeconds = tookNothing && peer.queuedBytes > 0 ? last.stalledSeconds + seconds : 0;
    this.#last = { peer, sentBytes, stalledSeconds };
    return stalledSeconds >= this.#stallSeconds;
  }
}
