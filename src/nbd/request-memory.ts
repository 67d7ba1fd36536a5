// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { MAX_PAYLOAD_BYTES } from './protocol.js';

/** The least bound that lets a request of any size have its turn, in bytes. */
export const MIN_REQUEST_MEMORY_BYTES = 2 * MAX_PAYLOAD_BYTES;

/** A request of no more bytes is small: what is kept free is for such. */
const SMALL_BYTES = 1 << 20;
/** The part of the memory that is kept free for small requests, and no connection has more than this part with several. */
const PARTS = 8;

/**
 * A bound on the data of requests, over all connections together, shared fairly.
 *
 * - A connection that has some already gets more up to the same part for each that has some, an eighth at most.
 * - One that has nothing gets what it asks for. An eighth is kept for its small requests, so that connections that keep
 *   all that they can have leave something for those that come later.
 * - Those that wait get their turns in order. None passes one that waits with nothing, except a small request.
 */
export class RequestMemory {
  readonly #limitBytes: number;
  #usedBytes = 0;
  /** How many have some. */
  #holders = 0;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<MemoryShare>();

  /** @param limitBytes at least `MIN_REQUEST_MEMORY_BYTES` */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  /** Whether somebody waits. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** A connection's share. */
  share(): MemoryShare {
    return new MemoryShare({
      take: (share, bytes) => this.#take(share, bytes),
      give: (share, bytes) => this.#give(share, bytes),
      wait: (share) => this.#waiting.add(share),
      leave: (share) => this.#waiting.delete(share),
    });
  }

  #take(share: MemoryShare, bytes: number): boolean {
    const isSmall = share.usedBytes === 0 && bytes <= SMALL_BYTES;
    const mayPass = isSmall || ![...this.#waiting].some(({ usedBytes }) => usedBytes === 0);
    return mayPass && this.#grant(share, bytes);
  }

  #grant(share: MemoryShare, bytes: number): boolean {
    if (!this.#isRoom(share.usedBytes, bytes)) return false;
    if (share.usedBytes === 0) this.#holders++;
    this.#usedBytes += bytes;
    return true;
  }

  #isRoom(hasBytes: number, bytes: number): boolean {
    // The first one has its turn in any case, so that there is always somebody who goes on.
    if (this.#usedBytes === 0) return true;
    const left = this.#limitBytes - this.#usedBytes - bytes;
    if (hasBytes === 0 && bytes <= SMALL_BYTES) return left >= 0;
    const isFair = hasBytes === 0 || hasBytes + bytes <= this.#limitBytes / Math.max(PARTS, this.#holders);
    return isFair && left >= this.#limitBytes / PARTS;
  }

  #give(share: MemoryShare, bytes: number): void {
    this.#usedBytes -= bytes;
    if (share.usedBytes === 0) this.#holders--;
    let mayPass = true;
    for (const waiting of this.#waiting) {
      const hasNothing = waiting.usedBytes === 0;
      const isSmall = hasNothing && waiting.requestedBytes <= SMALL_BYTES;
      if ((mayPass || isSmall) && this.#grant(waiting, waiting.requestedBytes)) {
        this.#waiting.delete(waiting);
        waiting.granted();
      } else if (hasNothing) mayPass = false;
    }
  }
}

interface Calls {
  take(share: MemoryShare, bytes: number): boolean;
  give(share: MemoryShare, bytes: number): void;
  wait(share: MemoryShare): void;
  leave(share: MemoryShare): void;
}

/** What one connection has of a {@link RequestMemory}. */
export class MemoryShare {
  readonly #calls: Calls;
  #usedBytes = 0;
  #requestedBytes = 0;
  #then = (): void => {};

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  /** What it waits for. */
  get requestedBytes(): number {
    return this.#requestedBytes;
  }

  /** Takes memory, now or later; `then` is called once it has it, also before the return. Not while it waits already. */
  take(bytes: number, then: () => void): void {
    if (this.#calls.take(this, bytes)) {
      this.#usedBytes += bytes;
      then();
      return;
    }
    this.#requestedBytes = bytes;
    this.#then = then;
    this.#calls.wait(this);
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#calls.give(this, bytes);
  }

  /** Waits no longer. */
  leave(): void {
    this.#calls.leave(this);
    this.#requestedBytes = 0;
  }

  /** The memory that it waits for is its own now. */
  granted(): void {
    this.#usedBytes += this.#requestedBytes;
    this.#requestedBytes = 0;
    this.#then();
  }
}
