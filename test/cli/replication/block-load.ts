// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { NbdClient } from '../../../src/nbd/index.js';
import type { Random } from '../../../src/testing/index.js';

const BLOCK = 4096;
/** Writes between two flushes, at most. */
const MAX_BURST = 8;

/** What was written to a block, oldest first, and from which of it on it has to be there. */
interface Block {
  readonly tags: number[];
  /** The newest one that was answered before a flush that was answered was asked for. */
  sure: number;
}

/** Writes blocks of a range over NBD, flushes now and then, and notes what was answered. */
export class BlockLoad {
  readonly #client: NbdClient;
  readonly #random: Random;
  readonly #start: number;
  readonly #blocks: readonly Block[];
  #tag = 0;
  /** Flushes that were answered. */
  flushes = 0;

  private constructor(client: NbdClient, random: Random, start: number, present: Buffer) {
    this.#client = client;
    this.#random = random;
    this.#start = start;
    this.#blocks = Array.from({ length: present.length / BLOCK }, (_, index) => ({
      tags: [present.readUInt32LE(index * BLOCK)],
      sure: 0,
    }));
    for (const { tags } of this.#blocks) this.#tag = Math.max(this.#tag, ...tags);
  }

  /** Looks at what the range has now. */
  static async begin(client: NbdClient, random: Random, start: number, length: number): Promise<BlockLoad> {
    return new BlockLoad(client, random, start, await client.read(start, length));
  }

  /** Goes on until the connection is lost. */
  async run(): Promise<void> {
    try {
      for (;;) await this.#burst();
    } catch {
      // Its daemon was killed: that is how it ends, and what was answered is known.
    }
  }

  async #burst(): Promise<void> {
    const random = this.#random;
    const written: [block: Block, tag: number][] = [];
    for (let left = random.integer(1, MAX_BURST); left > 0; left--) {
      const index = random.integer(0, this.#blocks.length - 1);
      const block = this.#blocks[index] as Block;
      const tag = ++this.#tag;
      block.tags.push(tag);
      await this.#client.write(this.#start + index * BLOCK, tagged(tag));
      written.push([block, tag]);
    }
    await this.#client.flush();
    this.flushes += 1;
    for (const [block, tag] of written) block.sure = Math.max(block.sure, block.tags.indexOf(tag));
  }

  /** What is wrong with an image: blocks that are torn, or older than what was flushed. */
  faults(image: Buffer): string[] {
    const faults: string[] = [];
    for (const [index, { tags, sure }] of this.#blocks.entries()) {
      const at = this.#start + index * BLOCK;
      const tag = image.readUInt32LE(at);
      if (!image.subarray(at, at + BLOCK).equals(tagged(tag))) faults.push(`the block at ${at} is torn`);
      else if (tags.lastIndexOf(tag) < sure)
        faults.push(`the block at ${at} is ${tag}, but ${tags[sure]} was flushed`);
    }
    return faults;
  }
}

function tagged(tag: number): Buffer {
  return Buffer.from(new Uint32Array(BLOCK / 4).fill(tag).buffer);
}
