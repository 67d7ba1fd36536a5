// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

const SECTOR = 512;

interface Written {
  readonly sector: number;
  readonly sectors: number;
}

/**
 * What a primary's disk was and became, from one start of the primary to the next: each write is stamped with its number,
 * so that a state of the disk says up to which write it goes.
 */
export class Era {
  readonly #base: Buffer;
  readonly #writes: Written[] = [];
  /** The number of the first write. */
  readonly first: number;

  constructor(base: Uint8Array, first: number) {
    this.#base = Buffer.from(base);
    this.first = first;
  }

  get next(): number {
    return this.first + this.#writes.length;
  }

  /** The bytes of the next write: each sector begins with its number. */
  write(sector: number, sectors: number): Buffer {
    const bytes = Buffer.alloc(sectors * SECTOR, this.next % 251);
    for (let at = 0; at < bytes.length; at += SECTOR) bytes.writeUInt32LE(this.next, at);
    this.#writes.push({ sector, sectors });
    return bytes;
  }

  /** The disk after so many of the writes. */
  after(count: number): Buffer {
    const expected = Buffer.from(this.#base);
    for (const [index, { sector, sectors }] of this.#writes.slice(0, count).entries()) {
      const number = this.first + index;
      expected.fill(number % 251, sector * SECTOR, (sector + sectors) * SECTOR);
      for (let at = 0; at < sectors; at++) expected.writeUInt32LE(number, (sector + at) * SECTOR);
    }
    return expected;
  }

  /** Where a state differs from what it should be after so many writes: each sector, and the writes it has and should have. */
  differences(state: Buffer, count: number): string[] {
    const expected = this.after(count);
    const lines: string[] = [];
    for (let at = 0; at < state.length; at += SECTOR) {
      if (state.subarray(at, at + SECTOR).equals(expected.subarray(at, at + SECTOR))) continue;
      lines.push(`sector ${at / SECTOR}: ${state.readUInt32LE(at)}, expected ${expected.readUInt32LE(at)}`);
    }
    return lines;
  }

  /** How many of the writes a state has: it has them all up to that one and none after. -1: it is no state of this era. */
  prefixOf(state: Buffer): number {
    let count = 0;
    for (let at = 0; at < state.length; at += SECTOR) {
      const number = state.readUInt32LE(at);
      if (number >= this.first && number < this.next) count = Math.max(count, number - this.first + 1);
    }
    return this.after(count).equals(state) ? count : -1;
  }
}
