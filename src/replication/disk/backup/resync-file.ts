// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { FileCalls } from '../../../posix/files.js';
import { crc32 } from '../format/crc32.js';
import { type Done, SECTOR_SIZE } from '../local-disk.js';
import { closedOnFailure, completed, damaged, StateFile } from '../state-file.js';
import type { ResyncSlots } from './checkpoint-store.js';
import { type Piece, SectorMap } from './sector-map.js';
import {
  decodeTable,
  encodeTable,
  type Slot,
  TABLE_HEAD_BYTES,
  tableBytes,
  tableCrc,
  tableLength,
} from './slot-table.js';

/** Where the table stands is said here, at the file's start, once the table is complete. */
const SLOTS_AT = 4096;

/** A grain's slot as a piece of a checkpoint. */
class SlotPiece implements Piece {
  readonly bytes = undefined;
  pins = 0;
  readonly #file: StateFile;
  readonly #position: number;

  constructor(file: StateFile, position: number) {
    this.#file = file;
    this.#position = position;
  }

  read(offset: number, into: Uint8Array, done: Done): void {
    this.#file.read(this.#position + offset, into, done);
  }
}

/**
 * The file of a resync: a slot for each grain that it has brought, so that it is never larger than what differs. A grain
 * that comes again is written to its slot again.
 */
export class ResyncFile {
  readonly id: string;
  readonly #file: StateFile;
  readonly #grainBytes: number;
  readonly #slots = new Map<number, Slot>();
  /** The slot that each grain has had, though it may be zeroes by now. */
  readonly #places = new Map<number, number>();
  /** The last write of each slot, for those that are under way: the next one of the same slot waits for it. */
  readonly #writing = new Map<number, (() => void)[]>();

  private constructor(id: string, file: StateFile, grainSectors: number) {
    this.id = id;
    this.#file = file;
    this.#grainBytes = grainSectors * SECTOR_SIZE;
  }

  /** An empty file with room for `grains`. @throws (rejects with) StateError, -ENOSPC among others */
  static async create(
    files: FileCalls,
    path: string,
    id: string,
    grainSectors: number,
    grains: number,
  ): Promise<ResyncFile> {
    const file = await StateFile.create(files, path);
    const resync = new ResyncFile(id, file, grainSectors);
    try {
      await closedOnFailure(file, async () => {
        await file.allocate(SLOTS_AT + grains * resync.#grainBytes + tableLength(grains));
      });
    } catch (error) {
      await completed(`remove ${path}`, (done) => files.unlink(path, done));
      throw error;
    }
    return resync;
  }

  /**
   * The slots of a resync that was committed.
   *
   * @throws (rejects with) StateError: -EBADMSG when the file is missing or is not what was committed
   */
  static async load(
    files: FileCalls,
    path: string,
    id: string,
    crc: number,
    disk: { readonly sectors: number; readonly grainSectors: number },
  ): Promise<{ readonly file: ResyncFile; readonly slots: ResyncSlots }> {
    const file = await StateFile.open(files, path);
    if (file === undefined) throw damaged(path, `it is missing, but the resync ${id} was committed with it`);
    return closedOnFailure(file, () => ResyncFile.#read(file, id, crc, disk));
  }

  static async #read(
    file: StateFile,
    id: string,
    crc: number,
    disk: { readonly sectors: number; readonly grainSectors: number },
  ): Promise<{ readonly file: ResyncFile; readonly slots: ResyncSlots }> {
    const { path } = file;
    const start = new Uint8Array(SLOTS_AT);
    await file.synced();
    await file.readAt(0, start);
    const tableAt = Number(new DataView(start.buffer).getBigUint64(0, true));
    const size = await file.size();
    const head = new Uint8Array(TABLE_HEAD_BYTES);
    if (tableAt < SLOTS_AT || tableAt > size) throw damaged(path, `its table cannot be at ${tableAt}`);
    await file.readAt(tableAt, head);
    const length = tableBytes(head, id);
    if (length === undefined || tableAt + length > size)
      throw damaged(path, `the table at ${tableAt} is wrong`);
    const table = new Uint8Array(length);
    await file.readAt(tableAt, table);
    if (tableCrc(table) !== crc)
      throw damaged(path, `the table at ${tableAt} is not the one that was committed`);
    const resync = new ResyncFile(id, file, disk.grainSectors);
    const buffer = new Uint8Array(resync.#grainBytes);
    for (const slot of decodeTable(table)) {
      resync.#slots.set(slot.grain, slot);
      if (slot.slot < 0) continue;
      const bytes = buffer.subarray(0, resync.#lengthOf(slot.grain, disk.sectors));
      const position = resync.#positionOf(slot.slot);
      await file.readAt(position, bytes);
      if (crc32(bytes) !== slot.crc)
        throw damaged(path, `the grain at ${position} is not what was committed`);
    }
    return { file: resync, slots: resync.#asSlots(crc, disk.sectors) };
  }

  /** Writes a grain, the last one of the disk maybe shorter. The bytes are copied by nobody: they are the file's until done. */
  write(grain: number, bytes: Uint8Array, done: Done): void {
    const slot = this.#places.get(grain) ?? this.#places.size;
    this.#places.set(grain, slot);
    this.#slots.set(grain, { grain, slot, crc: crc32(bytes) });
    const begin = (): void => {
      this.#file.write(this.#positionOf(slot), bytes, (result) => {
        const next = this.#writing.get(slot)?.shift();
        if (next) next();
        else this.#writing.delete(slot);
        done(result);
      });
    };
    const waiting = this.#writing.get(slot);
    if (waiting) {
      waiting.push(begin);
      return;
    }
    this.#writing.set(slot, []);
    begin();
  }

  zero(grain: number): void {
    this.#slots.set(grain, { grain, slot: -1, crc: 0 });
  }

  sync(done: Done): void {
    this.#file.sync(done);
  }

  /** Completes the file; all writes have ended. @throws (rejects with) StateError */
  async finish(sectors: number): Promise<ResyncSlots> {
    const table = encodeTable(this.id, [...this.#slots.values()]);
    const tableAt = this.#positionOf(this.#places.size);
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(tableAt), true);
    await this.#file.writeAt(tableAt, table);
    await this.#file.writeAt(0, start);
    await this.#file.synced();
    return this.#asSlots(tableCrc(table), sectors);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #asSlots(crc: number, sectors: number): ResyncSlots {
    const map = new SectorMap();
    for (const { grain, slot } of this.#slots.values()) {
      const start = (grain * this.#grainBytes) / SECTOR_SIZE;
      const end = Math.min(start + this.#grainBytes / SECTOR_SIZE, sectors);
      const piece = slot < 0 ? undefined : new SlotPiece(this.#file, this.#positionOf(slot));
      map.set(start, end, piece, 0);
    }
    return { id: this.id, crc, map };
  }

  #positionOf(slot: number): number {
    return SLOTS_AT + slot * this.#grainBytes;
  }

  #lengthOf(grain: number, sectors: number): number {
    return Math.min(this.#grainBytes, sectors * SECTOR_SIZE - grain * this.#grainBytes);
  }
}
