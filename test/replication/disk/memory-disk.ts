// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../../src/posix/index.js';
import type { Done, LocalDisk } from '../../../src/replication/disk/local-disk.js';

const SECTOR = 512;

export interface MemoryDisk {
  readonly disk: LocalDisk;
  /** All that was read, in order. */
  readonly reads: readonly (readonly [sector: number, sectors: number])[];
}

/** A disk in memory that is only read, and whose reads may fail. */
export function memoryDisk(bytes: Buffer, fails: () => boolean = () => false): MemoryDisk {
  const reads: [sector: number, sectors: number][] = [];
  const refuse = (): never => {
    throw new Error('nothing is written to it');
  };
  const disk: LocalDisk = {
    sectors: bytes.length / SECTOR,
    read: (sector, buffer, done) => {
      reads.push([sector, buffer.length / SECTOR]);
      buffer.set(bytes.subarray(sector * SECTOR, sector * SECTOR + buffer.length));
      done(fails() ? -errno.EIO : 0);
    },
    write: refuse,
    zero: refuse,
    flush: (done: Done) => done(0),
  };
  return { disk, reads };
}
