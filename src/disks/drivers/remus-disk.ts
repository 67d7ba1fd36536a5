// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { ExtentsDone, ImageIdentity, LocalDisk } from '../../replication/disk/local-disk.js';
import {
  type Done,
  type Driver,
  type ImageFile,
  type RangeRequest,
  SECTOR_SIZE,
  type SectorRange,
} from '../index.js';
import { writeZeroesByWriting } from '../zeroes.js';
import { WriteOrder } from './write-order.js';

/** A hole is worth the process that makes it from 8 MiB on. */
const HOLE_SECTORS = 16_384;

/** The driver below a replication, as the engine wants its disk. Changes of the same sectors keep their order. */
export class RemusDisk implements LocalDisk {
  readonly sectors: number;
  readonly #below: Driver;
  readonly #post: (task: () => void) => void;
  readonly #order = new WriteOrder();

  /** @param post runs a task in a later turn of the scheduler */
  constructor(below: Driver, post: (task: () => void) => void) {
    this.#below = below;
    this.#post = post;
    this.sectors = below.info().sectors;
  }

  read(sector: number, buffer: Uint8Array, done: Done): void {
    this.#below.queueRead({ sector, sectors: buffer.length / SECTOR_SIZE, buffer, complete: done });
  }

  write(sector: number, buffer: Uint8Array, done: Done): void {
    this.#change({ sector, sectors: buffer.length / SECTOR_SIZE }, done, (request) =>
      this.#below.queueWrite({ ...request, buffer }),
    );
  }

  zero(sector: number, sectors: number, done: Done): void {
    this.#change({ sector, sectors }, done, (range) => {
      const request = { ...range, noHole: sectors < HOLE_SECTORS };
      if (this.#below.writeZeroes) this.#below.writeZeroes(request);
      else writeZeroesByWriting(this.#below, request, this.#post);
    });
  }

  extents(sector: number, sectors: number, done: ExtentsDone): void {
    const range = { sector, sectors };
    if (this.#below.blockStatus) this.#below.blockStatus(range, done);
    else done(0);
  }

  flush(done: Done): void {
    this.#below.flush(done);
  }

  settle(done: Done): void {
    if (this.#below.settle) this.#below.settle(done);
    else done(0);
  }

  identify(done: (result: number, identity?: ImageIdentity) => void): void {
    identifyImage(this.#below, done);
  }

  #change(range: SectorRange, done: Done, start: (request: RangeRequest) => void): void {
    const { sector, sectors } = range;
    const complete = (result: number): void => {
      this.#order.end(range);
      done(result);
    };
    this.#order.begin(range, () => start({ sector, sectors, complete }));
  }
}

/** Completes with 0 and the file of a driver's open image, or with 0 alone when the image is not one file. */
export function identifyImage(driver: Driver, done: (result: number, image?: ImageFile) => void): void {
  if (driver.identify === undefined) done(0);
  else driver.identify((result, image) => done(result === -errno.EOPNOTSUPP ? 0 : result, image));
}
