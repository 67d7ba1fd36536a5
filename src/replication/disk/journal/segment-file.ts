// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { SECTOR_SIZE, type Done } from '../local-disk.js';
import { closedOnFailure, damaged, StateFile } from '../state-file.js';
import {
  BLOCK,
  decodeHeader,
  decodeMarker,
  encodeHeader,
  encodeMarker,
  FIRST_MARKER_AT,
  FIRST_RECORD_AT,
  type Marker,
  MARKER_SLOTS,
  type SegmentEnd,
  type SegmentHeader,
} from './segment-format.js';

/** The end of no segment. */
export const NOTHING: SegmentEnd = { end: 0, records: 0, chain: 0 };

const UNUSED: SegmentHeader = { segment: 0, salt: 0, previous: NOTHING };
const NO_MARKER: Marker = {
  segment: 0,
  sequence: 0,
  generation: '0'.repeat(16),
  epoch: 0,
  at: NOTHING,
  resyncId: '0'.repeat(16),
  resyncCrc: 0,
  resyncCheckpoint: 0,
};

/** One of the two files of a journal, and the segment in it. */
export class SegmentFile {
  readonly file: StateFile;
  readonly bytes: number;
  #header: SegmentHeader;
  /** Those of earlier segments included. */
  readonly markers: readonly Marker[];
  /** Where the next record goes. */
  at: SegmentEnd;
  /** Something was written since the last sync began. */
  #unsynced = false;

  private constructor(file: StateFile, bytes: number, header: SegmentHeader, markers: readonly Marker[]) {
    this.file = file;
    this.bytes = bytes;
    this.#header = header;
    this.markers = markers;
    this.at = emptySegment(header);
  }

  /** A file that was never used, with all its blocks. The caller syncs the directory. @throws (rejects with) StateError */
  static async create(files: FileCalls, path: string, bytes: number): Promise<SegmentFile> {
    const file = await StateFile.create(files, path, 'by-write');
    return closedOnFailure(file, async () => {
      await file.allocate(bytes);
      const start = new Uint8Array(FIRST_RECORD_AT);
      putHeader(start, UNUSED);
      for (let slot = 0; slot < MARKER_SLOTS; slot++) start.set(encodeMarker(NO_MARKER), markerAt(slot));
      await file.writeAt(0, start);
      await file.synced();
      return new SegmentFile(file, bytes, UNUSED, []);
    });
  }

  /**
   * The file as it is; undefined when it is missing.
   *
   * @throws (rejects with) StateError: -EBADMSG when it is damaged, or a file call's error
   */
  static async load(
    files: FileCalls,
    path: string,
    notice: (message: string) => void,
  ): Promise<SegmentFile | undefined> {
    const file = await StateFile.open(files, path, 'by-write');
    if (file === undefined) return undefined;
    return closedOnFailure(file, async () => {
      await file.synced();
      const bytes = await file.size();
      if (bytes < FIRST_RECORD_AT) throw damaged(path, `it has only ${bytes} bytes`);
      const start = new Uint8Array(FIRST_RECORD_AT);
      await file.readAt(0, start);
      const copies = [0, BLOCK].map((at) => decodeHeader(sectorOf(start, at)));
      const sound = copies.filter((copy) => copy !== undefined);
      const header = sound.toSorted((a, b) => b.segment - a.segment)[0];
      if (header === undefined) throw damaged(path, 'neither copy of its header is sound');
      const markers = Array.from({ length: MARKER_SLOTS }, (_, slot) => {
        const marker = decodeMarker(sectorOf(start, markerAt(slot)));
        if (marker === undefined) throw damaged(path, `the marker at ${markerAt(slot)} is not sound`);
        return marker;
      });
      if (sound.length < copies.length) {
        notice(`${path}: one copy of the header was damaged and is written anew`);
        putHeader(start, header);
        await file.writeAt(0, start.subarray(0, FIRST_MARKER_AT));
        await file.synced();
      }
      return new SegmentFile(file, bytes, header, markers);
    });
  }

  get segment(): number {
    return this.#header.segment;
  }
  get salt(): number {
    return this.#header.salt;
  }
  get previous(): SegmentEnd {
    return this.#header.previous;
  }
  get usedBytes(): number {
    return this.at.end - FIRST_RECORD_AT;
  }

  /** The newest marker of the segment; undefined: nothing in it is committed. */
  get newestMarker(): Marker | undefined {
    const own = this.markers.filter(({ segment }) => segment === this.segment && segment > 0);
    return own.toSorted((a, b) => b.sequence - a.sequence)[0];
  }

  /** Begins another segment; what the file has had is given up. The first sync of a commit makes it durable. */
  begin(header: SegmentHeader, done: Done): void {
    this.#header = header;
    this.at = emptySegment(header);
    const bytes = new Uint8Array(FIRST_MARKER_AT);
    putHeader(bytes, header);
    this.#write(0, bytes, done);
  }

  hasRoomFor(bytes: number): boolean {
    return this.at.end + bytes <= this.bytes;
  }

  /**
   * Writes a record to the end, and moves that. The buffer is the file's until it is done.
   *
   * @param durably it is durable when it is done, and needs no sync
   */
  append(record: Uint8Array, chain: number, durably: boolean, done: Done): void {
    const { end, records } = this.at;
    this.at = { end: end + record.length, records: records + 1, chain };
    if (durably) this.file.writeDurably(end, record, done);
    else this.#write(end, record, done);
  }

  /** Writes a marker; it is durable when that is done. */
  writeMarker(marker: Marker, done: Done): void {
    this.file.writeDurably(markerAt(marker.sequence % MARKER_SLOTS), encodeMarker(marker), done);
  }

  /** Whether something was written that no sync has begun to cover. */
  get needsSync(): boolean {
    return this.#unsynced;
  }

  /** Makes durable what was written before; at once when that is nothing. */
  sync(done: Done): void {
    if (!this.#unsynced) {
      done(0);
      return;
    }
    this.#unsynced = false;
    this.file.sync(done);
  }

  #write(position: number, bytes: Uint8Array, done: Done): void {
    this.file.write(position, bytes, (result) => {
      this.#unsynced = true;
      done(result);
    });
  }
}

function emptySegment({ salt }: SegmentHeader): SegmentEnd {
  return { end: FIRST_RECORD_AT, records: 0, chain: salt };
}

function putHeader(bytes: Uint8Array, header: SegmentHeader): void {
  const copy = encodeHeader(header);
  bytes.set(copy, 0);
  bytes.set(copy, BLOCK);
}

function markerAt(slot: number): number {
  return FIRST_MARKER_AT + slot * BLOCK;
}

function sectorOf(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at, at + SECTOR_SIZE);
}
