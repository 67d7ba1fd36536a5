// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { FewWrites } from '../few-writes.js';
import type { Journal } from '../journal/journal.js';
import { MAX_RECORD_BYTES } from '../journal/record.js';
import { BLOCK } from '../journal/segment-format.js';
import { RecordBatch, RecordBuffers } from './record-batch.js';
import { RecordPiece } from './record-piece.js';
import { SectorMap } from './sector-map.js';

/** How many extents the open checkpoint may have: its index takes about 100 bytes for each. */
const MAX_OPEN_EXTENTS = 1 << 19;

/** A checkpoint that was closed: its records are with the journal. */
export interface ClosedCheckpoint {
  /** As the journal counts checkpoints. */
  readonly number: number;
  readonly map: SectorMap;
  readonly bytes: number;
  /** Infinity: it has no records. */
  readonly firstSegment: number;
}

/**
 * The checkpoint that is being received: an index of its sectors, and its records on their way into the journal.
 *
 * Records of it that the journal has no room for wait here; {@link hasRoom} is false then.
 */
export class OpenCheckpoint {
  readonly #journal: Journal;
  readonly #memoryBytes: number;
  readonly #changed: () => void;
  #map = new SectorMap();
  readonly #buffers = new RecordBuffers();
  readonly #batch = new RecordBatch(this.#buffers, (bytes) => new RecordPiece(bytes));
  /** Counts checkpoints, aborted ones too, for the journal. */
  #number: number;
  readonly #few = new FewWrites();
  #bytes = 0;
  #firstSegment = Infinity;
  /** Records that did not fit the journal, in order. */
  #stuck: { readonly record: Uint8Array; readonly piece: RecordPiece; readonly extents: number }[] = [];
  #unwrittenBytes = 0;
  /** In memory, oldest first. */
  readonly #held: RecordPiece[] = [];
  #heldBytes = 0;

  /** @param changed called when there may be room that was not there before */
  constructor(journal: Journal, memoryBytes: number, firstNumber: number, changed: () => void) {
    this.#journal = journal;
    this.#memoryBytes = memoryBytes;
    this.#number = firstNumber;
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get firstSegment(): number {
    return this.#firstSegment;
  }
  /** Whether records wait for room in the journal. */
  get isStuck(): boolean {
    return this.#stuck.length > 0;
  }
  get hasRoom(): boolean {
    return (
      !this.isStuck &&
      this.#unwrittenBytes < Math.max(this.#memoryBytes / 2, MAX_RECORD_BYTES) &&
      this.#map.size < MAX_OPEN_EXTENTS
    );
  }

  write(sector: number, bytes: Uint8Array, crc?: number): void {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const rest = at === 0 ? bytes : bytes.subarray(at);
      at += this.#batch.add(sector + at / 512, rest, this.#map, at === 0 ? crc : undefined);
      if (this.#batch.isFull) this.#spill();
    }
    this.#added();
  }

  zero(sector: number, sectors: number): void {
    this.#bytes += sectors * 512;
    this.#batch.addZeroes(sector, sectors, this.#map);
    if (this.#batch.isFull) this.#spill();
    this.#added();
  }

  /** Closes it, and opens the next; undefined when the journal has no room for the rest of it. */
  close(): ClosedCheckpoint | undefined {
    if (!this.#batch.isEmpty) this.#spill(true);
    if (this.isStuck) return undefined;
    const closed = {
      number: this.#number,
      map: this.#map,
      bytes: this.#bytes,
      firstSegment: this.#firstSegment,
    };
    this.#few.closed();
    this.#restart();
    return closed;
  }

  /**
   * Drops it, and opens the next.
   *
   * @throws Error when the journal has not kept room for it, which is our bug
   */
  abort(): void {
    const hadRecords = this.#firstSegment !== Infinity;
    const number = this.#number;
    this.#batch.take();
    this.#stuck = [];
    this.#few.dropped();
    this.#restart();
    if (!hadRecords) return;
    const record = Buffer.alloc(BLOCK);
    const header = { kind: 'abort', checkpoint: number, extents: 0 } as const;
    const place = this.#journal.append(record, header, { isFirst: false, isUrgent: false }, () => {});
    if (place === undefined) throw new Error('the journal keeps room for an abort');
  }

  /** Tries again what had no room. */
  retry(): void {
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const [index, one] of stuck.entries()) {
      if (this.#append(one.record, one.piece, one.extents)) continue;
      this.#stuck = stuck.slice(index);
      return;
    }
    if (stuck.length > 0) this.#changed();
  }

  #restart(): void {
    this.#map = new SectorMap();
    this.#bytes = 0;
    this.#firstSegment = Infinity;
    this.#number += 1;
  }

  #added(): void {
    this.#few.wrote();
    this.#hurry();
  }

  /** Writes what there is of a small checkpoint, so that its commit need not wait for it; what comes meanwhile goes after it. */
  #hurry(): void {
    if (this.#few.isDue && this.#unwrittenBytes === 0 && !this.#batch.isEmpty) this.#spill(true);
  }

  /** @param isUrgent a commit is going to wait for it */
  #spill(isUrgent = false): void {
    const { record, piece, extents } = this.#batch.take();
    if (this.isStuck || !this.#append(record, piece as RecordPiece, extents, isUrgent)) {
      this.#stuck.push({ record, piece: piece as RecordPiece, extents });
    }
  }

  #append(record: Uint8Array, piece: RecordPiece, extents: number, isUrgent = false): boolean {
    const place = { isFirst: this.#firstSegment === Infinity, isUrgent };
    const header = { kind: 'data', checkpoint: this.#number, extents } as const;
    const at = this.#journal.append(record, header, place, (result) => {
      const hadRoom = this.hasRoom;
      this.#unwrittenBytes -= record.length;
      // A record that could not be written stays in memory; its commit fails.
      if (result === 0) piece.written();
      this.#evict();
      this.#hurry();
      if (!hadRoom && this.hasRoom) this.#changed();
    });
    if (at === undefined) return false;
    piece.place(at.file, at.position);
    this.#unwrittenBytes += record.length;
    this.#firstSegment = Math.min(this.#firstSegment, at.file.segment);
    this.#held.push(piece);
    this.#heldBytes += record.length;
    return true;
  }

  /** Gives up the memory of the oldest records, as long as there is too much of it. */
  #evict(): void {
    while (this.#heldBytes > this.#memoryBytes && this.#held[0]?.isWritten) {
      const piece = this.#held.shift();
      const bytes = piece?.bytes;
      if (piece === undefined || bytes === undefined) continue;
      this.#heldBytes -= bytes.length;
      piece.bytes = undefined;
      if (piece.pins === 0) this.#buffers.give(bytes);
    }
  }
}
