// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { BufferPool } from '../../../posix/buffers.js';

/** What bytes are copied into: much of it is sent by one call. */
const BLOCK_BYTES = 256 << 10;
/** Bytes that may be in shared memory are copied quickly where both ends are aligned alike, and most of them begin at whole words. */
const WORD_BYTES = 8;

interface Block {
  readonly memory: Buffer;
  usedBytes: number;
  /** How many chunks are in use, and one more while it is the last block. */
  users: number;
}

/** Bytes that follow one another in a block. */
interface Chunk {
  readonly block: Block;
  start: number;
  end: number;
}

/** It keeps back what is after it until it is opened. */
interface Gate {
  isOpen: boolean;
}

/** Bytes that wait to be sent, copied into blocks of a pool, so that small ones go together and none are garbage. */
export class SendQueue {
  readonly #pool: BufferPool<Buffer>;
  #waiting: (Chunk | Gate)[] = [];
  #last: Block | undefined;
  #bytes = 0;

  constructor(pool: BufferPool<Buffer>) {
    this.#pool = pool;
  }

  /** What waits, for a gate too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether something waits that no gate keeps back. */
  get isReady(): boolean {
    this.#passGates();
    return this.#waiting.length > 0 && 'block' in (this.#waiting[0] as Chunk | Gate);
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const chunk = this.#chunkFor((bytes.byteOffset + at) % WORD_BYTES, bytes.length - at);
      const { block } = chunk;
      const length = Math.min(bytes.length - at, BLOCK_BYTES - chunk.end);
      block.memory.set(bytes.subarray(at, at + length), chunk.end);
      chunk.end += length;
      block.usedBytes = chunk.end;
      at += length;
    }
    this.#bytes += bytes.length;
  }

  /** Keeps back what is added from now on, until what is returned is called. */
  gate(): () => void {
    const gate: Gate = { isOpen: false };
    this.#waiting.push(gate);
    return () => {
      gate.isOpen = true;
    };
  }

  /** What is to be sent next, up to a gate and a block's length or a little more; empty when there is nothing. */
  next(): Uint8Array[] {
    this.#passGates();
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const one of this.#waiting) {
      if (!('block' in one) || bytes >= BLOCK_BYTES) break;
      parts.push(one.block.memory.subarray(one.start, one.end));
      bytes += one.end - one.start;
    }
    return parts;
  }

  /**
   * So many bytes of what is next are with the system. They are not needed any more when what is returned is called: not
   * before the system has copied them.
   */
  took(count: number): () => void {
    this.#bytes -= count;
    const done: Block[] = [];
    for (let left = count; left > 0;) {
      const chunk = this.#waiting[0] as Chunk;
      const taken = Math.min(left, chunk.end - chunk.start);
      left -= taken;
      chunk.start += taken;
      if (chunk.start < chunk.end) break;
      this.#waiting.shift();
      done.push(chunk.block);
    }
    return () => {
      for (const block of done) this.#release(block);
    };
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#last = undefined;
    this.#bytes = 0;
  }

  #passGates(): void {
    for (let first = this.#waiting[0]; first && 'isOpen' in first && first.isOpen; first = this.#waiting[0])
      this.#waiting.shift();
  }

  /** A chunk with room, after all that waits: for bytes that are so far from a whole word, so many if possible. */
  #chunkFor(alignment: number, wanted: number): Chunk {
    const tail = this.#waiting.at(-1);
    const last = this.#last;
    if (last === undefined || last.usedBytes === BLOCK_BYTES) return this.#begin(this.#newBlock(), alignment);
    const fits = wanted < WORD_BYTES || last.usedBytes % WORD_BYTES === alignment;
    const goesOn =
      tail !== undefined && 'block' in tail && tail.block === last && tail.end === last.usedBytes;
    if (goesOn && fits) return tail;
    const start = fits ? last.usedBytes : wholeWords(last.usedBytes) + alignment;
    return start < BLOCK_BYTES ? this.#begin(last, start) : this.#begin(this.#newBlock(), alignment);
  }

  #begin(block: Block, start: number): Chunk {
    const chunk = { block, start, end: start };
    block.usedBytes = start;
    block.users += 1;
    this.#waiting.push(chunk);
    return chunk;
  }

  #newBlock(): Block {
    const before = this.#last;
    this.#last = { memory: this.#pool.take(BLOCK_BYTES), usedBytes: 0, users: 1 };
    if (before) this.#release(before);
    return this.#last;
  }

  #release(block: Block): void {
    block.users -= 1;
    if (block.users === 0) this.#pool.give(block.memory);
    else if (block === this.#last && block.users === 1) block.usedBytes = 0;
  }
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;
}
