// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** The size of the block that bytes on their way out are copied into, and the most that one write hands over at once. */
export const SEND_SLAB_BYTES = 64 * 1024;
const WORD_BYTES = 8;

/**
 * The memory that outgoing bytes are copied into, since the caller may reuse its buffer at once.
 *
 * Mostly the kernel takes the bytes during the call, and the next write uses the same memory again. Bytes that it did not
 * take keep their part of the block until the garbage collector finds it unused, and the next write goes after them. So
 * what is held is what is under way, and no allocation is made on the usual path.
 */
export class SendSlab {
  #block: Buffer = Buffer.alloc(0);
  #used = 0;
  #last: Buffer = this.#block;

  /** A copy of `bytes` (at most {@link SEND_SLAB_BYTES}); the next copy overwrites it unless it is kept. */
  copy(bytes: Uint8Array): Buffer {
    // Messages of one size follow one another: then the view of the last copy is right for the next.
    if (this.#last.length !== bytes.length) this.#last = this.#part(bytes.length);
    this.#last.set(bytes);
    return this.#last;
  }

  /** The last copy is still needed. */
  keep(): void {
    // Copies of shared memory are quick where both ends are aligned alike, and senders' buffers begin at whole words.
    this.#used += Math.ceil(this.#last.length / WORD_BYTES) * WORD_BYTES;
    this.#last = this.#block.subarray(0, 0);
  }

  #part(length: number): Buffer {
    if (this.#block.length - this.#used < length) {
      this.#block = Buffer.allocUnsafeSlow(SEND_SLAB_BYTES);
      this.#used = 0;
    }
    return this.#block.subarray(this.#used, this.#used + length);
  }
}
