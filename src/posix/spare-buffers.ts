// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { blockBytes } from './block-bytes.js';
import type { BufferPool } from './buffers.js';

/** What is kept for use again, together. */
const MAX_SPARE_BYTES = 8 << 20;

/** Buffers of ordinary memory, a bounded number of which is kept for use again. */
export class SpareBuffers implements BufferPool<Buffer> {
  readonly #maxBytes: number;
  /** By size. */
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;

  constructor(maxBytes = MAX_SPARE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** What is kept at present. */
  get spareBytes(): number {
    return this.#spareBytes;
  }

  take(length: number): Buffer {
    const bytes = blockBytes(length);
    const whole = this.#spare.get(bytes)?.pop();
    if (whole !== undefined) this.#spareBytes -= bytes;
    const buffer = whole ?? Buffer.allocUnsafeSlow(bytes);
    return length === bytes ? buffer : buffer.subarray(0, length);
  }

  give(buffer: Buffer): void {
    const bytes = blockBytes(buffer.length);
    if (this.#spareBytes + bytes > this.#maxBytes) return;
    const whole = buffer.length === bytes ? buffer : Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
    const spare = this.#spare.get(bytes);
    if (spare === undefined) this.#spare.set(bytes, [whole]);
    else spare.push(whole);
    this.#spareBytes += bytes;
  }

  /** Keeps nothing any more. */
  clear(): void {
    this.#spare.clear();
    this.#spareBytes = 0;
  }

  copy(target: Uint8Array, source: Uint8Array, at: number): void {
    target.set(source, at);
  }
}
