// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { SegmentFile } from '../journal/segment-file.js';
import type { Done } from '../local-disk.js';
import type { Piece } from './sector-map.js';

/** A record of the journal as a piece of a checkpoint: in memory, in its file, or both. */
export class RecordPiece implements Piece {
  bytes: Uint8Array | undefined;
  pins = 0;
  #place: { readonly file: SegmentFile; readonly position: number } | undefined;
  #isWritten = false;

  constructor(bytes: Uint8Array | undefined) {
    this.bytes = bytes;
  }

  /** A record that is in its file only. */
  static stored(file: SegmentFile, position: number): RecordPiece {
    const piece = new RecordPiece(undefined);
    piece.place(file, position);
    piece.written();
    return piece;
  }

  /** Where it is being written. */
  place(file: SegmentFile, position: number): void {
    this.#place = { file, position };
  }
  written(): void {
    this.#isWritten = true;
  }
  /** Whether its memory can be given up. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  read(offset: number, into: Uint8Array, done: Done): void {
    if (this.bytes !== undefined) {
      into.set(this.bytes.subarray(offset, offset + into.length));
      done(0);
    } else if (this.#place === undefined) {
      done(-errno.EIO);
    } else {
      const { file, position } = this.#place;
      file.file.read(position + offset, into, done);
    }
  }
}
