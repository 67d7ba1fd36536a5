// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { BitSet } from '../bit-set.js';
import { type Done, type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import type { DirtyMap } from '../primary/dirty-map.js';
import { completed } from '../state-file.js';
import type { ResyncSlots } from './checkpoint-store.js';
import type { ResyncFile } from './resync-file.js';
import { UnderWay } from '../../../posix/under-way.js';

/** What is remembered of a written image: 1 MiB. */
const PIECE_SECTORS = 2048;

/** Where a resync's grains go until their checkpoint is committed. */
export interface SyncTarget {
  readonly id: string;
  /** The grains that it has, ascending. */
  readonly grains: Iterable<number>;
  /** Whether a write or sync has failed: what was written may be lost, though it can be read. */
  readonly hasFailed: boolean;
  /**
   * Writes whole grains, the last one of the disk maybe shorter. The bytes are the target's until it is done.
   *
   * @param crcs of each grain, if there are as many
   */
  write(sector: number, bytes: Uint8Array, done: Done, crcs?: readonly number[]): void;
  zero(sector: number, sectors: number, done: Done): void;
  /** Makes durable what was written before. */
  sync(done: Done): void;
  /** It is resumed, for so many grains in all: what was begun ends, and is made durable. @throws (rejects with) StateError */
  resume(grains: number): Promise<void>;
  /** How to read a grain that it has, beside the disk; undefined: the disk has what there is. */
  readerOf(sector: number): ((into: Uint8Array, done: Done) => void) | undefined;
  /** What was read there is what the primary has. */
  confirm(sector: number, bytes: Uint8Array): void;
  /** All writes have ended: the slots, durable, or undefined for what is on the image already, durable. */
  finish(): Promise<ResyncSlots | undefined>;
}

/** Into slots of a file: the image stays as it is. */
export class FileTarget implements SyncTarget {
  readonly #file: ResyncFile;
  readonly #grainSectors: number;

  constructor(file: ResyncFile, grainSectors: number) {
    this.#file = file;
    this.#grainSectors = grainSectors;
  }

  get id(): string {
    return this.#file.id;
  }
  get grains(): Iterable<number> {
    return this.#file.grains;
  }
  get hasFailed(): boolean {
    return this.#file.hasFailed;
  }

  async resume(grains: number): Promise<void> {
    await this.#file.provide(grains);
    await this.#file.settle();
  }

  readerOf(sector: number): ((into: Uint8Array, done: Done) => void) | undefined {
    return this.#file.readerOf(sector / this.#grainSectors);
  }
  confirm(sector: number, bytes: Uint8Array): void {
    this.#file.confirm(sector / this.#grainSectors, bytes);
  }

  write(sector: number, bytes: Uint8Array, done: Done, crcs?: readonly number[]): void {
    this.#file.write(sector / this.#grainSectors, bytes, done, crcs);
  }

  zero(sector: number, sectors: number, done: Done): void {
    const end = sector + sectors;
    for (let at = sector; at < end; at += this.#grainSectors) this.#file.zero(at / this.#grainSectors);
    done(0);
  }

  sync(done: Done): void {
    this.#file.sync(done);
  }

  finish(): Promise<ResyncSlots> {
    return this.#file.finish();
  }
}

/** Straight to an image that has no state: a first sync. */
export class DirectTarget implements SyncTarget {
  readonly id: string;
  readonly #disk: LocalDisk;
  readonly #grainSectors: number;
  /** The grains that the image has, durably. */
  readonly #received: DirtyMap;
  /** What it has got since the last sync. */
  #fresh = new Set<number>();
  /** On an image that was all zeroes: what has been written, in pieces; elsewhere zeroes need not be written. */
  readonly #written: BitSet | undefined;
  readonly #underWay = new UnderWay();

  /** @param received is its as long as it is used; its owner closes it after {@link DirectTarget.settle} */
  constructor(id: string, disk: LocalDisk, grainSectors: number, received: DirtyMap, isBlank: boolean) {
    this.id = id;
    this.#disk = disk;
    this.#grainSectors = grainSectors;
    this.#received = received;
    this.#written = isBlank ? new BitSet(pieceOf(disk.sectors - 1) + 1) : undefined;
  }

  get grains(): Iterable<number> {
    return this.#received.bits;
  }
  get hasFailed(): boolean {
    return this.#underWay.failure < 0;
  }

  write(sector: number, bytes: Uint8Array, done: Done): void {
    const sectors = bytes.length / SECTOR_SIZE;
    const end = sector + sectors;
    for (let piece = pieceOf(sector); piece <= pieceOf(end - 1); piece++) this.#written?.add(piece);
    this.#disk.write(sector, bytes, this.#arrives(sector, sectors, done));
  }

  zero(sector: number, sectors: number, done: Done): void {
    const arrived = this.#arrives(sector, sectors, done);
    let isBlank = this.#written !== undefined;
    for (let piece = pieceOf(sector); isBlank && piece <= pieceOf(sector + sectors - 1); piece++) {
      isBlank = !this.#written?.has(piece);
    }
    if (isBlank) arrived(0);
    else this.#disk.zero(sector, sectors, arrived);
  }

  /** A grain counts as received once it is durable: its bit comes after the sync of the image. */
  sync(done: Done): void {
    const fresh = this.#fresh;
    this.#fresh = new Set();
    const ended = this.#underWay.begin(done);
    this.#disk.flush((flushed) => {
      if (flushed < 0) {
        ended(flushed);
        return;
      }
      this.#received.raiseAll(fresh, ended);
    });
  }

  async resume(): Promise<void> {
    await this.settle();
    await completed('sync the image', (done) => this.sync(done));
  }
  /** Completes when nothing is under way. */
  settle(): Promise<void> {
    return this.#underWay.none();
  }

  readerOf(): undefined {
    return undefined;
  }
  confirm(): void {}

  async finish(): Promise<undefined> {
    await completed('sync the image', (done) => this.#disk.flush(done));
  }

  #arrives(sector: number, sectors: number, done: Done): Done {
    return this.#underWay.begin((result) => {
      const first = sector / this.#grainSectors;
      const end = result < 0 ? first : Math.ceil((sector + sectors) / this.#grainSectors);
      for (let grain = first; grain < end; grain++) this.#fresh.add(grain);
      done(result);
    });
  }
}

function pieceOf(sector: number): number {
  return Math.floor(sector / PIECE_SECTORS);
}
