// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

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

/** A record of the journal that is being filled with writes of the open checkpoint. */
export class RecordBatch {
  #buffer: Uint8Array;
  #dataEnd = BLOCK;
  #extents = 0;
  #piece: Piece;
  readonly #newPiece: (bytes: Uint8Array) => Piece;

  constructor(newPiece: (bytes: Uint8Array) => Piece) {
    this.#newPiece = newPiece;
    this.#buffer = Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);
    this.#piece = newPiece(this.#buffer);
  }

  get extents(): number {
    return this.#extents;
  }
  get isEmpty(): boolean {
    return this.#extents === 0;
  }
  /** Whether not even a sector has room. */
  get isFull(): boolean {
    return this.#extents === MAX_EXTENTS || this.#dataEnd === MAX_RECORD_BYTES;
  }

  /** Takes as many of the bytes, whole sectors, as have room; how many. */
  add(sector: number, bytes: Uint8Array, map: SectorMap): number {
    const length = Math.min(bytes.length, MAX_RECORD_DATA - (this.#dataEnd - BLOCK));
    this.#buffer.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.#dataEnd);
    putExtent(this.#buffer, this.#extents, { sector, sectors: length / SECTOR_SIZE, dataAt: this.#dataEnd });
    map.set(sector, sector + length / SECTOR_SIZE, this.#piece, this.#dataEnd);
    this.#extents += 1;
    this.#dataEnd += length;
    return length;
  }

  addZeroes(sector: number, sectors: number, map: SectorMap): void {
    putExtent(this.#buffer, this.#extents, { sector, sectors, dataAt: -1 });
    map.set(sector, sector + sectors, undefined, 0);
    this.#extents += 1;
  }

  /** What was filled, as a record without its header, and the piece that it is; the batch is empty then. */
  take(): { readonly record: Uint8Array; readonly piece: Piece; readonly extents: number } {
    const length = recordLength(this.#dataEnd - BLOCK);
    const piece = this.#piece;
    const extents = this.#extents;
    const used = this.#buffer;
    used.fill(0, BLOCK - (MAX_EXTENTS - extents) * 16, BLOCK);
    used.fill(0, this.#dataEnd, length);
    let record = used.subarray(0, length);
    if (length > used.length / 2) {
      this.#buffer = Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);
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
