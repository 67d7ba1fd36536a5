// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { gather } from '../gather.js';
import { type Done, type LocalDisk, SECTOR_SIZE } from '../local-disk.js';
import { completed } from '../state-file.js';
import type { ResyncSlots } from './checkpoint-store.js';
import type { ResyncFile } from './resync-file.js';

/** What is remembered of a written image: 1 MiB. */
const PIECE_SECTORS = 2048;

/** Where a resync's grains go until their checkpoint is committed. */
export interface SyncTarget {
  readonly id: string;
  /** Writes whole grains, the last one of the disk maybe shorter. The bytes are the target's until it is done. */
  write(sector: number, bytes: Uint8Array, done: Done): void;
  zero(sector: number, sectors: number, done: Done): void;
  /** Makes durable what was written before. */
  sync(done: Done): void;
  /** All writes have ended: the slots, durable, or undefined for what is on the image already, durable. */
  finish(): Promise<ResyncSlots | undefined>;
}

/** Into slots of a file: the image stays as it is. */
export class FileTarget implements SyncTarget {
  readonly #file: ResyncFile;
  readonly #grainSectors: number;
  readonly #diskSectors: number;

  constructor(file: ResyncFile, grainSectors: number, diskSectors: number) {
    this.#file = file;
    this.#grainSectors = grainSectors;
    this.#diskSectors = diskSectors;
  }

  get id(): string {
    return this.#file.id;
  }

  write(sector: number, bytes: Uint8Array, done: Done): void {
    const each = this.#grainSectors * SECTOR_SIZE;
    gather(done, (part) => {
      for (let at = 0; at < bytes.length; at += each) {
        this.#file.write(sector / this.#grainSectors + at / each, bytes.subarray(at, at + each), part());
      }
    });
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
    return this.#file.finish(this.#diskSectors);
  }
}

/** Straight to an image that has no state: a first sync. */
export class DirectTarget implements SyncTarget {
  readonly id: string;
  readonly #disk: LocalDisk;
  /** On an image that was all zeroes: what has been written, in pieces; elsewhere zeroes need not be written. */
  readonly #written: Set<number> | undefined;

  constructor(id: string, disk: LocalDisk, isBlank: boolean) {
    this.id = id;
    this.#disk = disk;
    this.#written = isBlank ? new Set() : undefined;
  }

  write(sector: number, bytes: Uint8Array, done: Done): void {
    const end = sector + bytes.length / SECTOR_SIZE;
    for (let piece = pieceOf(sector); piece <= pieceOf(end - 1); piece++) this.#written?.add(piece);
    this.#disk.write(sector, bytes, done);
  }

  zero(sector: number, sectors: number, done: Done): void {
    let isBlank = this.#written !== undefined;
    for (let piece = pieceOf(sector); isBlank && piece <= pieceOf(sector + sectors - 1); piece++) {
      isBlank = !this.#written?.has(piece);
    }
    if (isBlank) done(0);
    else this.#disk.zero(sector, sectors, done);
  }

  sync(done: Done): void {
    this.#disk.flush(done);
  }
  async finish(): Promise<undefined> {
    await completed('sync the image', (done) => this.#disk.flush(done));
  }
}

function pieceOf(sector: number): number {
  return Math.floor(sector / PIECE_SECTORS);
}
