// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../buffers.js';
import { nodeTimers, type Timers } from '../timers.js';
import { SMALLEST_BLOCK_BYTES } from '../block-bytes.js';
import { BuddyMemory } from './buddy-memory.js';
import { IdleRelease } from './idle-release.js';

/** How much memory is shared; the kernel gives a page of it when it is first written. */
const SHARED_BYTES = 64 << 20;

/**
 * Buffers that other threads can read and write too, for file calls that are made there: parts of one SharedArrayBuffer.
 * Beyond its size, and where there is none, they are ordinary memory.
 */
export class SharedBuffers implements BufferPool<Buffer> {
  readonly #bytes: number;
  #memory: BuddyMemory | undefined;
  #fault: string | undefined;
  readonly #idle: IdleRelease;

  constructor(timers: Timers = nodeTimers, bytes = SHARED_BYTES) {
    this.#idle = new IdleRelease(timers, () => {
      if (this.#memory?.takenBytes === 0) this.#memory = undefined;
    });
    this.#bytes = bytes;
  }

  /** What buffers are parts of at present, but for those beyond its size. */
  get shared(): SharedArrayBuffer | undefined {
    return this.#memory?.shared;
  }

  /** Why there is no shared memory, where there can be none. */
  get fault(): string | undefined {
    return this.#fault;
  }

  take(length: number): Buffer {
    this.#idle.used();
    if (this.#memory === undefined && this.#fault === undefined) this.#memory = this.#create();
    return (
      this.#memory?.take(length) ??
      Buffer.allocUnsafeSlow(Math.max(length, SMALLEST_BLOCK_BYTES)).subarray(0, length)
    );
  }

  give(buffer: Buffer): void {
    this.#idle.used();
    if (buffer.buffer === this.#memory?.shared) this.#memory.give(buffer);
  }

  copy(target: Uint8Array, source: Uint8Array, at: number): void {
    const memory = this.#memory;
    if (memory !== undefined && target.buffer === memory.shared && source.buffer === memory.shared) {
      memory.copy(target.byteOffset + at, source.byteOffset, source.length);
    } else target.set(source, at);
  }

  #create(): BuddyMemory | undefined {
    try {
      return new BuddyMemory(this.#bytes);
    } catch (error) {
      // The address space is limited, or SharedArrayBuffer is taken away. The threads' user reports it.
      this.#fault = (error as Error).message;
      return undefined;
    }
  }

  /** Ends its use. */
  [Symbol.dispose](): void {
    this.#idle[Symbol.dispose]();
    this.#memory = undefined;
  }
}

/** The process's own. */
export const sharedBuffers = new SharedBuffers();
