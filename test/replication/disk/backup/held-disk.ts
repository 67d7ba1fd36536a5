// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { type Done, type LocalDisk, SECTOR_SIZE } from '../../../../src/replication/disk/local-disk.js';

/** A disk in memory. It logs its calls; while it is held, each waits until the test ends it, and takes effect then. */
export class HeldDisk implements LocalDisk {
  readonly sectors: number;
  readonly bytes: Uint8Array;
  /** As `write 8+4`. */
  readonly calls: string[] = [];
  isHeld = false;
  /** Calls that wait, oldest first: each ends with 0, or with the result that it is given. */
  readonly waiting: ((result?: number) => void)[] = [];

  constructor(sectors: number, fill = 0) {
    this.sectors = sectors;
    this.bytes = new Uint8Array(sectors * SECTOR_SIZE).fill(fill);
  }

  /** Ends the calls that wait, and no more are held. */
  release(): void {
    this.isHeld = false;
    for (const end of this.waiting.splice(0)) end();
  }

  read(sector: number, buffer: Uint8Array, done: Done): void {
    const at = sector * SECTOR_SIZE;
    const take = (): void => buffer.set(this.bytes.subarray(at, at + buffer.length));
    this.#begin(`read ${sector}+${buffer.length / SECTOR_SIZE}`, take, done);
  }
  write(sector: number, buffer: Uint8Array, done: Done): void {
    const take = (): void => this.bytes.set(buffer, sector * SECTOR_SIZE);
    this.#begin(`write ${sector}+${buffer.length / SECTOR_SIZE}`, take, done);
  }
  zero(sector: number, sectors: number, done: Done): void {
    const take = (): void => {
      this.bytes.fill(0, sector * SECTOR_SIZE, (sector + sectors) * SECTOR_SIZE);
    };
    this.#begin(`zero ${sector}+${sectors}`, take, done);
  }
  flush(done: Done): void {
    this.#begin('flush', () => {}, done);
  }

  #begin(call: string, take: () => void, done: Done): void {
    this.calls.push(call);
    const end = (result = 0): void => {
      if (result >= 0) take();
      done(result);
    };
    if (this.isHeld) this.waiting.push(end);
    else end();
  }
}
