// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import type { ImageIdentity, LocalDisk } from '../../replication/disk/local-disk.js';
import { type Done, type Driver, type RangeRequest, SECTOR_SIZE, type SectorRange } from '../index.js';
import { WriteOrder } from './write-order.js';

/** A hole is worth the process that makes it from 8 MiB on. */
const HOLE_SECTORS = 16_384;
/** How much is zeroed at a time by writing. */
const PIECE_SECTORS = 2048;
const zeroes = new Uint8Array(PIECE_SECTORS * SECTOR_SIZE);

/** The driver below a replication, as the engine wants its disk. Changes of the same sectors keep their order. */
export class RemusDisk implements LocalDisk {
  readonly sectors: number;
  readonly #below: Driver;
  readonly #order = new WriteOrder();

  constructor(below: Driver) {
    this.#below = below;
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
    this.#change({ sector, sectors }, done, (request) => {
      if (this.#below.writeZeroes) this.#below.writeZeroes({ ...request, noHole: sectors < HOLE_SECTORS });
      else this.#writeZeroes(request);
    });
  }

  flush(done: Done): void {
    this.#below.flush(done);
  }

  settle(done: Done): void {
    if (this.#below.settle) this.#below.settle(done);
    else done(0);
  }

  identify(done: (result: number, identity?: ImageIdentity) => void): void {
    const below = this.#below;
    if (below.identify === undefined) done(0);
    else below.identify((result, image) => done(result === -errno.EOPNOTSUPP ? 0 : result, image));
  }

  #change(range: SectorRange, done: Done, start: (request: RangeRequest) => void): void {
    const { sector, sectors } = range;
    const complete = (result: number): void => {
      this.#order.end(range);
      done(result);
    };
    this.#order.begin(range, () => start({ sector, sectors, complete }));
  }

  #writeZeroes(request: RangeRequest): void {
    const { sector, sectors } = request;
    const writeFrom = (at: number): void => {
      const length = Math.min(PIECE_SECTORS, sector + sectors - at);
      const buffer = zeroes.subarray(0, length * SECTOR_SIZE);
      this.#below.queueWrite({
        sector: at,
        sectors: length,
        buffer,
        complete: (result) => {
          if (result < 0 || at + length === sector + sectors) request.complete(result);
          else writeFrom(at + length);
        },
      });
    };
    writeFrom(sector);
  }
}
