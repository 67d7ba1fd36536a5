// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** How many bytes of free buffers are kept. */
const KEPT_BYTES = 32 << 20;
/** Smaller buffers are not worth keeping. */
const SMALLEST_BYTES = 4096;

/**
 * Buffers for the data of requests, used again: to allocate and clear a large one costs more than to fill it.
 *
 * What a buffer holds when it is taken is anybody's; whoever takes it fills it before it goes anywhere.
 */
export class BufferPool {
  /** Free buffers by their size, which is a power of two. */
  readonly #free = new Map<number, ArrayBufferLike[]>();
  #keptBytes = 0;

  take(length: number): Buffer {
    const size = sizeFor(length);
    const kept = this.#free.get(size)?.pop();
    if (!kept) return Buffer.from(Buffer.allocUnsafeSlow(size).buffer, 0, length);
    this.#keptBytes -= size;
    return Buffer.from(kept, 0, length);
  }

  /** Gives back what {@link take} gave. Nobody may use it any more. */
  give(buffer: Buffer): void {
    const size = buffer.buffer.byteLength;
    if (this.#keptBytes + size > KEPT_BYTES) return;
    this.#keptBytes += size;
    const free = this.#free.get(size);
    if (free) free.push(buffer.buffer);
    else this.#free.set(size, [buffer.buffer]);
  }
}

function sizeFor(length: number): number {
  return length <= SMALLEST_BYTES ? SMALLEST_BYTES : 2 ** Math.ceil(Math.log2(length));
}
