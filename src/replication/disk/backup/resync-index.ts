// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { Fields } from '../format/fields.js';
import { BITS_BYTES, isSectorSealed, sealSector } from '../format/map-sector.js';
import { SECTOR_SIZE } from '../local-disk.js';

/** A grain that a resync has brought; its place in the file is the number of its entry. */
export interface Entry {
  readonly grain: number;
  readonly isZero: boolean;
  /** Of its data; 0 for zeroes. */
  readonly crc: number;
}

const ENTRY_BYTES = 8;
export const ENTRIES_A_SECTOR = BITS_BYTES / ENTRY_BYTES;
const ZERO_FLAG = 2 ** 31;

/** How long the index of so many places is, in bytes. */
export function indexBytes(places: number): number {
  return Math.ceil(places / ENTRIES_A_SECTOR) * SECTOR_SIZE;
}

/** Which grain is in each place of a resync's file; see docs/replication-protocol.md. */
export class ResyncIndex {
  readonly #id: string;
  readonly #entries: (Entry | undefined)[] = [];
  readonly #places = new Map<number, number>();
  /** Sectors that the file does not have as they are. */
  readonly #changed = new Set<number>();

  constructor(id: string) {
    this.#id = id;
  }

  /**
   * Adds what sectors of the file have, from the one of this number on; those that are damaged, or another resync's, have no
   * entries. False: a grain is in two places.
   */
  read(bytes: Uint8Array, from: number): boolean {
    for (let at = 0, number = from; at < bytes.length; at += SECTOR_SIZE, number++) {
      const sector = bytes.subarray(at, at + SECTOR_SIZE);
      if (isSectorSealed(sector, number, this.#id) && !this.#take(sector, number)) return false;
    }
    return true;
  }

  #take(sector: Uint8Array, number: number): boolean {
    const fields = new Fields(sector);
    for (let place = number * ENTRIES_A_SECTOR; place < (number + 1) * ENTRIES_A_SECTOR; place++) {
      const word = fields.getU32();
      const crc = fields.getU32();
      const grain = (word % ZERO_FLAG) - 1;
      if (grain < 0) continue;
      if (this.#places.has(grain)) return false;
      this.#places.set(grain, place);
      this.#entries[place] = { grain, isZero: word >= ZERO_FLAG, crc };
    }
    return true;
  }

  /** The number of places up to the last one in use. */
  get length(): number {
    return this.#entries.length;
  }
  /** The grains, ascending. */
  get grains(): number[] {
    return [...this.#places.keys()].sort((a, b) => a - b);
  }
  /** The entries, each with its place. */
  *[Symbol.iterator](): Generator<[place: number, entry: Entry], void, undefined> {
    for (const [place, entry] of this.#entries.entries()) if (entry) yield [place, entry];
  }

  placeOf(grain: number): number | undefined {
    return this.#places.get(grain);
  }
  at(place: number): Entry | undefined {
    return this.#entries[place];
  }

  /** Gives a grain its place, the one that it has or the next one, and returns that. */
  set(grain: number, isZero: boolean, crc: number): number {
    const place = this.#places.get(grain) ?? this.#entries.length;
    this.#places.set(grain, place);
    this.#entries[place] = { grain, isZero, crc };
    this.#changed.add(Math.floor(place / ENTRIES_A_SECTOR));
    return place;
  }

  /** The sectors that have changed since the last call, each with its number. */
  takeChanged(): { readonly number: number; readonly bytes: Uint8Array }[] {
    const numbers = [...this.#changed].sort((a, b) => a - b);
    this.#changed.clear();
    return numbers.map((number) => ({ number, bytes: this.#encode(number) }));
  }

  #encode(number: number): Uint8Array {
    const bytes = new Uint8Array(SECTOR_SIZE);
    const fields = new Fields(bytes);
    for (let place = number * ENTRIES_A_SECTOR; place < (number + 1) * ENTRIES_A_SECTOR; place++) {
      const entry = this.#entries[place];
      if (entry === undefined) fields.skip(ENTRY_BYTES);
      else fields.putU32(entry.grain + 1 + (entry.isZero ? ZERO_FLAG : 0)).putU32(entry.crc);
    }
    sealSector(bytes, number, this.#id);
    return bytes;
  }
}
