// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Driver } from '../../../src/disks/index.js';
import type { FileCalls } from '../../../src/posix/files.js';
import type { Done, ImageIdentity, LocalDisk } from '../../../src/replication/disk/local-disk.js';

/** The driver of an image, opened, as the engine sees a disk. */
export class DriverDisk implements LocalDisk {
  readonly #driver: Driver;
  readonly #files: FileCalls;
  readonly #path: string;

  constructor(driver: Driver, files: FileCalls, path: string) {
    this.#driver = driver;
    this.#files = files;
    this.#path = path;
  }

  get sectors(): number {
    return this.#driver.info().sectors;
  }

  read(sector: number, buffer: Uint8Array, done: Done): void {
    this.#driver.queueRead({ sector, sectors: buffer.length / 512, buffer, complete: done });
  }

  write(sector: number, buffer: Uint8Array, done: Done): void {
    this.#driver.queueWrite({ sector, sectors: buffer.length / 512, buffer, complete: done });
  }

  zero(sector: number, sectors: number, done: Done): void {
    this.#driver.writeZeroes?.({ sector, sectors, noHole: false, complete: done });
  }

  flush(done: Done): void {
    this.#driver.flush(done);
  }

  identify(done: (result: number, identity?: ImageIdentity) => void): void {
    this.#files.stat(this.#path, (result, status) => {
      if (status === undefined) {
        done(result);
        return;
      }
      const { fileSystem, inode, modifiedSeconds } = status;
      done(0, { fileSystem, inode, modifiedMicroseconds: Math.round(modifiedSeconds * 1e6) });
    });
  }
}
