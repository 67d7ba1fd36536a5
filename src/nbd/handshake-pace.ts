// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { AwaitedEvent } from '../scheduler/awaited-event.js';
import type { EventRegistrar } from '../scheduler/registrar.js';

/** How many handshakes may start a second. */
export interface PaceLimits {
  readonly perSecond: number;
  /** Of one peer, so that others get their share. */
  readonly perPeerPerSecond: number;
}

interface Waiting {
  readonly peer: string | undefined;
  readonly start: () => void;
}

/**
 * Lets so many handshakes start a second, in the order in which they came, and keeps the others waiting. It does not limit
 * how many wait: callers do.
 */
export class HandshakePace implements Disposable {
  readonly #limits: PaceLimits;
  readonly #second: AwaitedEvent;
  /** In this second: all, and by peer. */
  #started = 0;
  readonly #startedByPeer = new Map<string | undefined, number>();
  #waiting = new Set<Waiting>();

  constructor(registrar: EventRegistrar, limits: PaceLimits) {
    this.#second = new AwaitedEvent(registrar, 'NBD, pace of handshakes');
    this.#limits = limits;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `start` now, also before the return, or in a later second; returns how to wait no longer.
   *
   * @param peer the peer's address; undefined for one that has none and counts only among all
   */
  enter(peer: string | undefined, start: () => void): () => void {
    const entry: Waiting = { peer, start };
    if (this.#mayStart(entry)) this.#start(entry);
    else this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  #mayStart({ peer }: Waiting): boolean {
    const { perSecond, perPeerPerSecond } = this.#limits;
    const ofPeer = this.#startedByPeer.get(peer) ?? 0;
    return this.#started < perSecond && ofPeer < perPeerPerSecond;
  }

  #start({ peer, start }: Waiting): void {
    this.#started++;
    if (peer !== undefined) this.#startedByPeer.set(peer, (this.#startedByPeer.get(peer) ?? 0) + 1);
    // Without an event for the second, a handshake must not wait for ever: it goes uncounted.
    if (!this.#second.isSet && this.#second.setTimer(1, () => this.#nextSecond()) < 0) this.#forget();
    start();
  }

  #nextSecond(): void {
    this.#forget();
    for (const entry of this.#waiting) {
      if (!this.#mayStart(entry)) continue;
      this.#waiting.delete(entry);
      this.#start(entry);
    }
  }

  #forget(): void {
    this.#started = 0;
    this.#startedByPeer.clear();
  }

  /** Waiting handshakes are no longer started. */
  [Symbol.dispose](): void {
    this.#waiting.clear();
    this.#second.clear();
  }
}
