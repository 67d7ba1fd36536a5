// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { blockBytes, SMALLEST_BLOCK_BYTES } from '../block-bytes.js';
import { createSharedMemory, type SharedMemory } from './shared-memory.js';

/**
 * Shared memory in blocks of powers of two (a buddy allocator). A larger block is halved when there is no free one of
 * the size; halves are merged again only when nothing else is large enough. So blocks of one size that come
 * and go cost no more than a list, and no new view.
 */
export class BuddyMemory {
  readonly shared: SharedArrayBuffer;
  /** Copies within the memory; offsets and length in bytes. */
  readonly copy: SharedMemory['copy'];
  /** Views of free blocks, by the logarithm of their size. */
  #free: Buffer[][] = [];
  #takenBytes = 0;
  /** Something was given back since halves were put together. */
  #mayMerge = false;

  /** @param bytes a power of two */
  constructor(bytes: number) {
    const { shared, copy } = createSharedMemory(bytes);
    this.shared = shared;
    this.copy = copy;
    this.#put(0, bytes);
  }

  /** In blocks that are taken. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Undefined when there is no room. */
  take(length: number): Buffer | undefined {
    const size = blockBytes(length);
    const block = this.#takeBlock(size) ?? (this.#merge() ? this.#takeBlock(size) : undefined);
    if (block === undefined) return undefined;
    this.#takenBytes += size;
    return length === size ? block : Buffer.from(this.shared, block.byteOffset, length);
  }

  /** Gives back what {@link take} returned. */
  give(buffer: Buffer): void {
    const size = blockBytes(buffer.length);
    this.#takenBytes -= size;
    this.#mayMerge = true;
    if (buffer.length === size) this.#list(size).push(buffer);
    else this.#put(buffer.byteOffset, size);
  }

  #takeBlock(size: number): Buffer | undefined {
    const block = this.#list(size).pop();
    if (block !== undefined) return block;
    for (let larger = size * 2; larger <= this.shared.byteLength; larger *= 2) {
      const found = this.#list(larger).pop();
      if (found === undefined) continue;
      for (let half = larger / 2; half >= size; half /= 2) this.#put(found.byteOffset + half, half);
      return Buffer.from(this.shared, found.byteOffset, size);
    }
    return undefined;
  }

  /** Puts free halves together. @returns whether there may be larger blocks now */
  #merge(): boolean {
    if (!this.#mayMerge) return false;
    this.#mayMerge = false;
    const free = this.#free;
    this.#free = [];
    let offsets: number[] = [];
    for (let size = SMALLEST_BLOCK_BYTES; size <= this.shared.byteLength; size *= 2) {
      const blocks = free[Math.log2(size)] ?? [];
      const sorted = [...offsets, ...blocks.map(({ byteOffset }) => byteOffset)].toSorted((a, b) => a - b);
      offsets = [];
      for (let index = 0; index < sorted.length; index++) {
        const offset = sorted[index] as number;
        const hasBuddy = offset % (size * 2) === 0 && sorted[index + 1] === offset + size;
        if (hasBuddy) {
          offsets.push(offset);
          index++;
        } else this.#put(offset, size);
      }
    }
    return true;
  }

  #put(offset: number, size: number): void {
    this.#list(size).push(Buffer.from(this.shared, offset, size));
  }

  #list(size: number): Buffer[] {
    return (this.#free[31 - Math.clz32(size)] ??= []);
  }
}
