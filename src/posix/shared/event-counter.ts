// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Descriptor } from './descriptor.js';
import { errno } from '../errno.js';
import { READABLE, WRITABLE } from '../poller.js';

const COUNTER_BYTES = 8;
/** The largest sum that the counter holds, and the largest number that can be added (eventfd(2)). */
const MAX_COUNT = 2n ** 64n - 2n;
const MAX_INITIAL = 2 ** 32 - 1;

/** A 64-bit counter under a descriptor (Linux: eventfd without EFD_SEMAPHORE). */
export class EventCounter extends Descriptor {
  #count: bigint;

  /** The counter, or -EINVAL for an initial value that is not an unsigned 32-bit integer. */
  static create(initial: number): EventCounter | number {
    if (!Number.isInteger(initial) || initial < 0 || initial > MAX_INITIAL) return -errno.EINVAL;
    return new EventCounter(BigInt(initial));
  }

  private constructor(count: bigint) {
    super();
    this.#count = count;
    this.#update();
  }

  override describe(): string {
    return `eventfd ${this.#count}`;
  }

  /** 8 bytes with the sum, which becomes 0. Errors: -EAGAIN at 0, -EINVAL for a buffer of less than 8 bytes. */
  override read(buffer: Uint8Array): number {
    if (buffer.length < COUNTER_BYTES) return -errno.EINVAL;
    if (this.#count === 0n) return -errno.EAGAIN;
    counterView(buffer).setBigUint64(0, this.#count, true);
    this.#count = 0n;
    this.#update();
    return COUNTER_BYTES;
  }

  /** Adds. Errors: -EINVAL for less than 8 bytes or the largest 64-bit number, -EAGAIN when the sum would not fit. */
  override write(bytes: Uint8Array): number {
    if (bytes.length < COUNTER_BYTES) return -errno.EINVAL;
    const added = counterView(bytes).getBigUint64(0, true);
    if (added > MAX_COUNT) return -errno.EINVAL;
    if (this.#count + added > MAX_COUNT) return -errno.EAGAIN;
    this.#count += added;
    this.#update();
    return COUNTER_BYTES;
  }

  override close(): void {}

  #update(): void {
    this.setReady((this.#count > 0n ? READABLE : 0) | (this.#count < MAX_COUNT ? WRITABLE : 0));
  }
}

function counterView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, COUNTER_BYTES);
}
