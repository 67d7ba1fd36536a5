// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { EngineCore } from './engine-core.js';
import { NO_ID } from './format/metadata-record.js';
import type { Done } from './local-disk.js';
import type { CPrimaryGone } from './sessions.js';

const FAILED_OVER: CPrimaryGone = {
  reason: 'this side was written to',
  isInMessage: true,
};

/**
 * A write at the backup of a C primary, which says that the guest is here now: the connection and the listener are closed,
 * and this side becomes the primary, alone.
 *
 * As in C the first such write is -EBUSY, to be tried again, unless the primary had gone between two messages. So are those
 * that come while checkpoints are written out; those after that wait for the metadata to say what this side is.
 */
export class Failover {
  readonly #engine: EngineCore;
  readonly #promote: (done: (result: number) => void) => void;
  #waiting: { readonly again: () => void; readonly done: Done }[] = [];
  #isUnderWay = false;

  constructor(engine: EngineCore, promote: (done: (result: number) => void) => void) {
    this.#engine = engine;
    this.#promote = promote;
  }

  /** Whether this side is the backup, and its primary a C driver. */
  get #applies(): boolean {
    const { backup, state, options, peering } = this.#engine;
    if (backup === undefined) return false;
    const { peerIsOwn, hasState, rejoining, resyncId } = state.metadata.current;
    if (peerIsOwn || rejoining || resyncId !== NO_ID) return false;
    return options.peer === 'c' || peering?.cEnd !== undefined || (hasState && options.peer !== 'own');
  }

  /**
   * Whether a write is one, which is answered then, or made by `again` on the primary that this side is by then.
   */
  takes(again: () => void, done: Done): boolean {
    const applies = this.#applies;
    if (applies) this.#take(again, done);
    return applies;
  }

  #take(again: () => void, done: Done): void {
    const { backup, peering } = this.#engine;
    let isBusy = backup?.store.isWritingOut;
    if (!this.#isUnderWay) {
      isBusy = peering?.cEnd === undefined || peering.cEnd.isInMessage;
      this.#begin();
    }
    if (isBusy) done(-errno.EBUSY);
    else if (this.#isUnderWay) this.#waiting.push({ again, done });
    else again();
  }

  #begin(): void {
    const { backup, peering, state } = this.#engine;
    const { metadata } = state;
    this.#isUnderWay = true;
    peering?.end('failover', FAILED_OVER.reason);
    if (peering?.cEnd === undefined) peering?.shut(FAILED_OVER);
    // What was committed may have been answered.
    backup?.settle(() => {
      // A C primary's backup is usable from the beginning.
      metadata.note({ hasState: true, inconsistent: false });
      this.#promote((result) => this.#ended(result));
    });
  }

  #ended(result: number): void {
    this.#isUnderWay = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { again, done } of waiting) {
      if (result < 0) done(-errno.EBUSY);
      else again();
    }
  }
}
