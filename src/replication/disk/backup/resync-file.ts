// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../posix/errno.js';
import type { FileCalls } from '../../../posix/files.js';
import { crc32 } from '../format/crc32.js';
import { Fields, isSealed, seal } from '../format/fields.js';
import { gather } from '../gather.js';
import { type Done, SECTOR_SIZE } from '../local-disk.js';
import { closedOnFailure, completed, damaged, StateError, StateFile } from '../state-file.js';
import type { ResyncSlots } from './checkpoint-store.js';
import { indexBytes, ResyncIndex } from './resync-index.js';
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
import { UnderWay } from '../../../posix/under-way.js';

/** Where the table is, in the first sector, and in the second one which resync this is; then comes the index. */
const INDEX_AT = 4096;
const HEAD_AT = SECTOR_SIZE;
const MAGIC = 'TDRSYNC1';
const ALIGNMENT = 4096;
/** How much of the index is read at a time. */
const READ_BYTES = 1 << 20;

/** The disk that a resync is for. */
export interface ResyncShape {
  readonly sectors: number;
  readonly grainSectors: number;
}

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
  readonly #shape: ResyncShape;
  readonly #grainBytes: number;
  readonly #slotsAt: number;
  readonly #index: ResyncIndex;
  /** The last write of each slot, for those that are under way: the next one of the same slot waits for it. */
  readonly #writing = new Map<number, (() => void)[]>();
  /** How many writes and syncs are under way. */
  readonly #underWay = new UnderWay();

  private constructor(id: string, file: StateFile, shape: ResyncShape) {
    this.id = id;
    this.#file = file;
    this.#shape = shape;
    this.#grainBytes = shape.grainSectors * SECTOR_SIZE;
    this.#index = new ResyncIndex(id);
    const grains = Math.ceil(shape.sectors / shape.grainSectors);
    this.#slotsAt = INDEX_AT + Math.ceil(indexBytes(grains) / ALIGNMENT) * ALIGNMENT;
  }

  /** An empty file with room for `grains`. @throws (rejects with) StateError, -ENOSPC among others */
  static async create(
    files: FileCalls,
    path: string,
    id: string,
    shape: ResyncShape,
    grains: number,
  ): Promise<ResyncFile> {
    const file = await StateFile.create(files, path);
    const resync = new ResyncFile(id, file, shape);
    try {
      await closedOnFailure(file, async () => {
        await resync.provide(grains);
        await file.writeAt(HEAD_AT, encodeHead(id, shape.grainSectors));
      });
    } catch (error) {
      await completed(`remove ${path}`, (done) => files.unlink(path, done));
      throw error;
    }
    return resync;
  }

  /**
   * The file of a resync that was not committed, with the grains that its index has; undefined: there is none that could be
   * resumed.
   *
   * @throws (rejects with) StateError for a file call's error
   */
  static async resume(files: FileCalls, path: string, shape: ResyncShape): Promise<ResyncFile | undefined> {
    const file = await StateFile.open(files, path);
    if (file === undefined) return undefined;
    const resync = await closedOnFailure(file, async () => {
      await file.synced();
      const head = new Uint8Array(SECTOR_SIZE);
      await file.readAt(HEAD_AT, head);
      const id = decodeHead(head, shape.grainSectors);
      if (id === undefined) return undefined;
      const found = new ResyncFile(id, file, shape);
      return (await found.#readIndex()) ? found : undefined;
    });
    if (resync === undefined) await file.close();
    return resync;
  }

  /**
   * The slots of a resync that was committed.
   *
   * @throws (rejects with) StateError: -EBADMSG when the file is missing or is not what was committed, -ECANCELED once the
   *   signal is aborted
   */
  static async load(
    files: FileCalls,
    path: string,
    id: string,
    crc: number,
    disk: ResyncShape,
    signal?: AbortSignal,
  ): Promise<{ readonly file: ResyncFile; readonly slots: ResyncSlots }> {
    const file = await StateFile.open(files, path);
    if (file === undefined) throw damaged(path, `it is missing, but the resync ${id} was committed with it`);
    return closedOnFailure(file, () => ResyncFile.#read(file, id, crc, disk, signal));
  }

  static async #read(
    file: StateFile,
    id: string,
    crc: number,
    disk: ResyncShape,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly file: ResyncFile; readonly slots: ResyncSlots }> {
    const { path } = file;
    const resync = new ResyncFile(id, file, disk);
    const start = new Uint8Array(8);
    await file.synced();
    await file.readAt(0, start);
    const tableAt = Number(new DataView(start.buffer).getBigUint64(0, true));
    const size = await file.size();
    const head = new Uint8Array(TABLE_HEAD_BYTES);
    if (tableAt < resync.#slotsAt || tableAt > size) throw damaged(path, `its table cannot be at ${tableAt}`);
    await file.readAt(tableAt, head);
    const length = tableBytes(head, id);
    if (length === undefined || tableAt + length > size)
      throw damaged(path, `the table at ${tableAt} is wrong`);
    const table = new Uint8Array(length);
    await file.readAt(tableAt, table);
    if (tableCrc(table) !== crc)
      throw damaged(path, `the table at ${tableAt} is not the one that was committed`);
    const buffer = new Uint8Array(resync.#grainBytes);
    const slots = decodeTable(table);
    for (const slot of slots) {
      if (slot.slot < 0) continue;
      if (signal?.aborted) throw new StateError(`${path} was not read to its end`, -errno.ECANCELED);
      const bytes = buffer.subarray(0, resync.#lengthOf(slot.grain));
      const position = resync.#positionOf(slot.slot);
      await file.readAt(position, bytes);
      if (crc32(bytes) !== slot.crc)
        throw damaged(path, `the grain at ${position} is not what was committed`);
    }
    return { file: resync, slots: resync.#asSlots(slots, crc) };
  }

  async #readIndex(): Promise<boolean> {
    const bytes = new Uint8Array(READ_BYTES);
    for (let at = INDEX_AT; at < this.#slotsAt; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, this.#slotsAt - at));
      await this.#file.readAt(at, part);
      if (!this.#index.read(part, (at - INDEX_AT) / SECTOR_SIZE)) return false;
    }
    return true;
  }

  /** The grains that it has, ascending. */
  get grains(): number[] {
    return this.#index.grains;
  }

  /** Gives it room for so many grains in all. @throws (rejects with) StateError, -ENOSPC among others */
  async provide(grains: number): Promise<void> {
    await this.#file.allocate(INDEX_AT + indexBytes(grains));
    await this.#file.allocate(grains * this.#grainBytes + tableLength(grains), this.#slotsAt);
  }

  /**
   * Writes grains that follow one another, the last one of the disk maybe shorter. The bytes are copied by nobody: they are the
   * file's until done.
   *
   * @param crcs of each grain, if there are as many
   */
  write(grain: number, bytes: Uint8Array, done: Done, crcs?: readonly number[]): void {
    const each = this.#grainBytes;
    const known = crcs?.length === Math.ceil(bytes.length / each) ? crcs : [];
    const places: number[] = [];
    for (let at = 0; at < bytes.length; at += each) {
      const crc = known[at / each] ?? crc32(bytes.subarray(at, at + each));
      places.push(this.#index.set(grain + at / each, false, crc));
    }
    gather(done, (part) => {
      for (let from = 0; from < places.length;) {
        const to = this.#endOfRun(places, from);
        this.#writeSlots(places.slice(from, to), bytes.subarray(from * each, to * each), part());
        from = to;
      }
    });
  }

  /** Up to where places follow one another, and none is being written. */
  #endOfRun(places: readonly number[], from: number): number {
    const first = places[from] as number;
    const isFree = (at: number): boolean => !this.#writing.has(places[at] as number);
    let to = from + 1;
    while (to < places.length && places[to] === first + to - from && isFree(from) && isFree(to)) to += 1;
    return to;
  }

  /** Writes slots beside one another by one call; a single one that is being written waits for that. */
  #writeSlots(places: readonly number[], bytes: Uint8Array, done: Done): void {
    const [first = 0] = places;
    const ended = this.#underWay.begin(done);
    const begin = (): void => {
      this.#file.write(this.#positionOf(first), bytes, (result) => {
        for (const place of places) {
          const next = this.#writing.get(place)?.shift();
          if (next) next();
          else this.#writing.delete(place);
        }
        ended(result);
      });
    };
    const waiting = this.#writing.get(first);
    if (waiting) {
      waiting.push(begin);
      return;
    }
    for (const place of places) this.#writing.set(place, []);
    begin();
  }

  zero(grain: number): void {
    this.#index.set(grain, true, 0);
  }

  /** How to read a grain, no write of which may be under way; undefined: it does not have it. */
  readerOf(grain: number): ((into: Uint8Array, done: Done) => void) | undefined {
    const place = this.#index.placeOf(grain);
    if (place === undefined) return undefined;
    if (!this.#index.at(place)?.isZero)
      return (into, done) => this.#file.read(this.#positionOf(place), into, done);
    return (into, done) => {
      into.fill(0);
      done(0);
    };
  }

  /** A grain's slot was found to have this content, whatever a crash has left of its entry. */
  confirm(grain: number, bytes: Uint8Array): void {
    const place = this.#index.placeOf(grain) ?? -1;
    if (this.#index.at(place)?.isZero === false) this.#index.set(grain, false, crc32(bytes));
  }

  /** Makes durable what was written before, and what of it is where. */
  sync(done: Done): void {
    const ended = this.#underWay.begin(done);
    const written = (result: number): void => {
      if (result < 0) ended(result);
      else this.#file.sync(ended);
    };
    gather(written, (part) => {
      for (const { number, bytes } of this.#index.takeChanged())
        this.#file.write(INDEX_AT + number * SECTOR_SIZE, bytes, part());
    });
  }

  /** Whether a write or sync has failed: what was written may be lost, though it can be read. */
  get hasFailed(): boolean {
    return this.#underWay.failure < 0;
  }

  /** Completes when nothing is under way, and all that was written is durable. */
  async settle(): Promise<void> {
    await this.#underWay.none();
    await completed(`sync ${this.#file.path}`, (done) => this.sync(done));
  }

  /** Completes the file; all writes have ended. @throws (rejects with) StateError */
  async finish(): Promise<ResyncSlots> {
    // Who closes or resumes it meanwhile waits for this too: the table is where the next slot would be.
    const ended = this.#underWay.begin(() => {});
    try {
      return await this.#finish();
    } finally {
      ended(0);
    }
  }

  async #finish(): Promise<ResyncSlots> {
    const slots: Slot[] = [];
    for (const [place, { grain, isZero, crc }] of this.#index)
      slots.push({ grain, slot: isZero ? -1 : place, crc });
    const table = encodeTable(this.id, slots);
    const tableAt = this.#positionOf(this.#index.length);
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(tableAt), true);
    await this.#file.writeAt(tableAt, table);
    await this.#file.writeAt(0, start);
    await completed(`sync ${this.#file.path}`, (done) => this.sync(done));
    return this.#asSlots(slots, tableCrc(table));
  }

  /** Closes it once nothing is under way: later, its descriptor's number may be another file's. */
  async close(): Promise<void> {
    await this.#underWay.none();
    await this.#file.close();
  }

  #asSlots(slots: readonly Slot[], crc: number): ResyncSlots {
    const map = new SectorMap();
    const { grainSectors, sectors } = this.#shape;
    for (const { grain, slot } of slots) {
      const start = grain * grainSectors;
      const end = Math.min(start + grainSectors, sectors);
      const piece = slot < 0 ? undefined : new SlotPiece(this.#file, this.#positionOf(slot));
      map.set(start, end, piece, 0);
    }
    return { id: this.id, crc, map };
  }

  #positionOf(slot: number): number {
    return this.#slotsAt + slot * this.#grainBytes;
  }

  #lengthOf(grain: number): number {
    return Math.min(this.#grainBytes, this.#shape.sectors * SECTOR_SIZE - grain * this.#grainBytes);
  }
}

function encodeHead(id: string, grainSectors: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR_SIZE);
  new Fields(bytes).putText(MAGIC).skip(4).putU32(grainSectors).putHex(id);
  seal(bytes);
  return bytes;
}

/** The resync's id; undefined: the head is damaged, or of a disk with other grains. */
function decodeHead(bytes: Uint8Array, grainSectors: number): string | undefined {
  if (!isSealed(bytes, MAGIC)) return undefined;
  const fields = new Fields(bytes, MAGIC.length + 4);
  return fields.getU32() === grainSectors ? fields.getHex(8) : undefined;
}
