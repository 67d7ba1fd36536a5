// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { crc32 } from '../format/crc32.js';
import { EXTENT_BYTES } from '../format/extent-entry.js';
import {
  MAX_EXTENTS,
  MAX_RECORD_DATA,
  MAX_RECORD_BYTES,
  putExtent,
  recordLength,
} from '../journal/record.js';
import { BLOCK } from '../journal/segment-format.js';
import { SECTOR_SIZE } from '../local-disk.js';
import type { Piece, SectorMap } from './sector-map.js';

/** How many buffers are kept for use again. */
const MAX_SPARE = 8;

/** Reused buffers of records: allocating new ones costs more than filling them. */
export class RecordBuffers {
  readonly #spare: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);
  }

  /** The bytes of a record that nobody uses any more. */
  give(bytes: Uint8Array): void {
    const isWhole = bytes.buffer.byteLength === MAX_RECORD_BYTES;
    if (isWhole && this.#spare.length < MAX_SPARE) this.#spare.push(Buffer.from(bytes.buffer));
  }
}

/** A record of the journal that is being filled with writes of the open checkpoint. */
export class RecordBatch {
  #buffer: Uint8Array;
  #dataEnd = BLOCK;
  #extents = 0;
  #piece: Piece;
  readonly #newPiece: (bytes: Uint8Array) => Piece;

  readonly #buffers: RecordBuffers;

  constructor(buffers: RecordBuffers, newPiece: (bytes: Uint8Array) => Piece) {
    this.#buffers = buffers;
    this.#newPiece = newPiece;
    this.#buffer = buffers.take();
    this.#piece = newPiece(this.#buffer);
  }

  get isEmpty(): boolean {
    return this.#extents === 0;
  }
  /** Whether not even a sector has room. */
  get isFull(): boolean {
    return this.#extents === MAX_EXTENTS || this.#dataEnd === MAX_RECORD_BYTES;
  }

  /** Takes as many of the bytes, whole sectors, as have room; how many. `crc`: of all of them, if it is known. */
  add(sector: number, bytes: Uint8Array, map: SectorMap, crc?: number): number {
    const length = Math.min(bytes.length, MAX_RECORD_DATA - (this.#dataEnd - BLOCK));
    const taken = length === bytes.length ? bytes : bytes.subarray(0, length);
    const itsCrc = crc === undefined || taken !== bytes ? crc32(taken) : crc;
    const sectors = length / SECTOR_SIZE;
    this.#buffer.set(taken, this.#dataEnd);
    putExtent(this.#buffer, this.#extents, { sector, sectors, dataAt: this.#dataEnd, crc: itsCrc });
    map.set(sector, sector + sectors, this.#piece, this.#dataEnd);
    this.#extents += 1;
    this.#dataEnd += length;
    return length;
  }

  addZeroes(sector: number, sectors: number, map: SectorMap): void {
    putExtent(this.#buffer, this.#extents, { sector, sectors, dataAt: -1, crc: 0 });
    map.set(sector, sector + sectors, undefined, 0);
    this.#extents += 1;
  }

  /** What was filled, as a record without its header, and the piece that it is; the batch is empty then. */
  take(): { readonly record: Uint8Array; readonly piece: Piece; readonly extents: number } {
    const length = recordLength(this.#dataEnd - BLOCK);
    const piece = this.#piece;
    const extents = this.#extents;
    const used = this.#buffer;
    used.fill(0, BLOCK - (MAX_EXTENTS - extents) * EXTENT_BYTES, BLOCK);
    used.fill(0, this.#dataEnd, length);
    let record = used.subarray(0, length);
    if (length > used.length / 2) {
      this.#buffer = this.#buffers.take();
      piece.bytes = record;
    } else {
      // A short record must not hold a long buffer.
      record = Buffer.allocUnsafeSlow(length);
      record.set(used.subarray(0, length));
      piece.bytes = record;
    }
    this.#piece = this.#newPiece(this.#buffer);
    this.#dataEnd = BLOCK;
    this.#extents = 0;
    return { record, piece, extents };
  }
}
