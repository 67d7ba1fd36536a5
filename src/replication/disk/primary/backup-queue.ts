// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { ReplicationOptions } from '../options.js';
import type { BackupPeer } from '../sessions.js';

/** What waits to be sent to a backup, against its limits. */
export class BackupQueue {
  readonly #limitBytes: number;
  readonly #stallSeconds: number;
  /** The connection that was looked at last, and what had been sent by then. */
  #last: { readonly peer: BackupPeer; readonly sentBytes: number } | undefined;
  #stalledSeconds = 0;

  constructor({ queueBytes, stallSeconds }: Pick<ReplicationOptions, 'queueBytes' | 'stallSeconds'>) {
    this.#limitBytes = queueBytes;
    this.#stallSeconds = stallSeconds;
  }

  isFull(peer: BackupPeer | undefined): boolean {
    return peer !== undefined && peer.queuedBytes >= this.#limitBytes;
  }

  /**
   * Whether a backup has taken nothing for the stall time, though something waits to be sent. To be called again and again, after
   * so many seconds each: periods are counted, not times compared, so that a clock that is set makes no backup late.
   */
  stalls(peer: BackupPeer, seconds: number): boolean {
    const { sentBytes } = peer;
    const tookNothing = this.#last?.peer === peer && this.#last.sentBytes === sentBytes;
    this.#last = { peer, sentBytes };
    this.#stalledSeconds = tookNothing && peer.queuedBytes > 0 ? this.#stalledSeconds + seconds : 0;
    return this.#stalledSeconds >= this.#stallSeconds;
  }
}
