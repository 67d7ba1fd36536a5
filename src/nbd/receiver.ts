// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import type { BufferPool } from '../posix/buffers.js';
import { sharedBuffers } from '../posix/node/shared-buffers.js';
import type { Posix } from '../posix/posix.js';

/** How much is read ahead of what is asked for, so that small messages cost few calls. */
const READ_AHEAD_BYTES = 64 << 10;
/** How much one pump reads at most before others get their turn: large messages cost few calls, and nobody waits for long. */
const PUMP_BYTES = 128 << 10;

/**
 * Why a pump stopped:
 * - again: the descriptor has no more for now, or it is the others' turn; it goes on when it is readable;
 * - idle: nothing is expected;
 * - end: the peer has ended its stream, or a negative errno: nothing can come any more.
 */
export type PumpResult = 'again' | 'idle' | 'end' | number;

/**
 * Collects what is expected next from a descriptor: this many bytes, then the next thing. It never waits.
 *
 * `then` says what is expected after it by calling {@link expect} or {@link skip}, at once or some time later; until it
 * does nothing is read, so that the peer has to wait.
 */
export class Receiver {
  readonly #posix: Posix;
  readonly #fd: number;
  /** Taken from the pool while something is in it. */
  #ahead: Buffer | undefined;
  #start = 0;
  #end = 0;
  #target: Uint8Array | undefined;
  #filled = 0;
  #toSkip = 0;
  #receivedBytes = 0;
  #isDedicated = false;
  #pool: BufferPool<Buffer> = sharedBuffers;
  #then: (() => void) | undefined;

  constructor(posix: Posix, fd: number) {
    this.#posix = posix;
    this.#fd = fd;
  }

  get expecting(): boolean {
    return this.#then !== undefined;
  }
  /** Bytes read from the descriptor that nobody expected yet. */
  get bytesAhead(): number {
    return this.#end - this.#start;
  }
  /** Whether what is expected has come in part. */
  get isMidMessage(): boolean {
    return this.#filled > 0;
  }
  /** Bytes that have come since the beginning. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /**
   * The targets are of this pool from now on. `isDedicated`: the descriptor receives into buffers of it too, see
   * {@link Posix.dedicate}.
   */
  usePool(pool: BufferPool<Buffer>, isDedicated: boolean): void {
    const old = this.#ahead;
    if (old) {
      const left = old.subarray(this.#start, this.#end);
      this.#ahead = pool.take(READ_AHEAD_BYTES);
      this.#ahead.set(left);
      this.#pool.give(old);
      this.#start = 0;
      this.#end = left.length;
    }
    this.#pool = pool;
    this.#isDedicated = isDedicated;
  }

  /** Fills `target`, then calls `then`. */
  expect(target: Uint8Array, then: () => void): void {
    this.#target = target;
    this.#filled = 0;
    this.#then = then;
  }

  /** Drops `count` bytes, then calls `then`. */
  skip(count: number, then: () => void): void {
    this.#target = undefined;
    this.#filled = 0;
    this.#toSkip = count;
    this.#then = then;
  }

  /** Nothing is expected any more. */
  stop(): void {
    this.#then = undefined;
  }

  pump(): PumpResult {
    const result = this.#pump();
    if (this.#start === this.#end) this.#giveAhead();
    return result;
  }

  /** Forgets what was read ahead: nothing is expected any more. */
  close(): void {
    this.stop();
    this.#start = 0;
    this.#end = 0;
    this.#giveAhead();
  }

  #pump(): PumpResult {
    let budget = PUMP_BYTES;
    for (;;) {
      const then = this.#then;
      if (!then) return 'idle';
      const missing = this.#takeFromAhead();
      if (missing === 0) {
        this.#then = undefined;
        then();
        continue;
      }
      // Here nothing is left of what was read ahead, so that the descriptor's readiness covers all that is to come.
      if (budget <= 0) return 'again';
      const got = this.#read(missing);
      if (got === 0) return 'end';
      if (got === -errno.EAGAIN) return 'again';
      if (got < 0) return got;
      budget -= got;
      this.#receivedBytes += got;
    }
  }

  /** Serves the expectation from what was read ahead; returns how many bytes are wanting. */
  #takeFromAhead(): number {
    const target = this.#target;
    const missing = target ? target.length - this.#filled : this.#toSkip;
    const taken = Math.min(missing, this.#end - this.#start);
    if (target) {
      if (this.#ahead) {
        this.#pool.copy(target, this.#ahead.subarray(this.#start, this.#start + taken), this.#filled);
      }
      this.#filled += taken;
    } else {
      this.#toSkip -= taken;
    }
    this.#start += taken;
    return missing - taken;
  }

  #read(missing: number): number {
    const target = this.#target;
    // Ordinary memory is copied slowly to odd places of shared memory: it goes to its beginning, and on from there.
    const isQuick = this.#isDedicated || target?.buffer instanceof ArrayBuffer;
    if (target && missing >= READ_AHEAD_BYTES / 2 && isQuick) {
      const got = this.#posix.read(this.#fd, target.subarray(this.#filled));
      this.#filled += Math.max(got, 0);
      return got;
    }
    this.#ahead ??= this.#pool.take(READ_AHEAD_BYTES);
    const got = this.#posix.read(this.#fd, this.#ahead);
    this.#start = 0;
    this.#end = Math.max(got, 0);
    return got;
  }

  #giveAhead(): void {
    if (this.#ahead) this.#pool.give(this.#ahead);
    this.#ahead = undefined;
  }
}
