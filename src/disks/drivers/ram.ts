// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../../posix/errno.js';
import {
  type BlockStatusDone,
  type BlockStatusExtent,
  type DataRequest,
  type DiskDriverType,
  type DiskInfo,
  type Done,
  type DoneWithReason,
  type Driver,
  type OpenFlags,
  type RangeRequest,
  SECTOR_SIZE,
  type SectorRange,
} from '../index.js';
import { zeroes } from '../zeroes.js';
import { MAX_TOLD_EXTENTS } from './hole-ranges.js';

/** The largest disk in memory, in MiB (64 GiB). */
export const MAX_RAM_MIB = 65_536;

const CHUNK_BYTES = 1 << 20;
const CHUNK_SECTORS = CHUNK_BYTES / SECTOR_SIZE;

/**
 * `ram:SIZE_MIB`: a disk in memory, 1 to {@link MAX_RAM_MIB} MiB, all zeroes at first (C: block-ram.c).
 *
 * Memory is taken in chunks of 1 MiB as they are first written, and given back by discarding or zeroing whole ones. The
 * content outlives pause and resume under the same name, and is gone when the VBD is closed. A flush has nothing to do.
 * Requests complete before the call returns.
 */
export class RamDriver implements Driver {
  readonly #argument: string;
  #chunks: (Uint8Array | undefined)[] = [];
  #readOnly = false;

  constructor(argument: string) {
    this.#argument = argument;
  }

  /** -EINVAL for a size that is not a whole number in range. */
  open(flags: OpenFlags, done: DoneWithReason): void {
    const size = /^\d{1,6}$/.test(this.#argument) ? Number(this.#argument) : 0;
    if (size < 1 || size > MAX_RAM_MIB) {
      const expected = `expected ram:SIZE_MIB with a whole number from 1 to ${MAX_RAM_MIB}`;
      done(-errno.EINVAL, `'${this.#argument}' is not a size: ${expected}`);
      return;
    }
    this.#readOnly = flags.readOnly;
    if (this.#chunks.length === 0) this.#chunks = Array.from({ length: size }, () => undefined);
    done(0);
  }

  info(): DiskInfo {
    const sectors = (this.#chunks.length * CHUNK_BYTES) / SECTOR_SIZE;
    return { sectors, sectorSize: SECTOR_SIZE, copiesData: true, info: 0 };
  }

  resize(done: DoneWithReason): void {
    done(-errno.EOPNOTSUPP, 'a disk in memory keeps the size that it was opened with');
  }

  close(done: Done): void {
    done(0);
  }

  queueRead(request: DataRequest): void {
    forEachPiece(request, (index, from, length, at) => {
      const chunk = this.#chunks[index];
      if (chunk) request.buffer.set(chunk.subarray(from, from + length), at);
      // Where threads share the buffer, to copy zeroes is quicker than to fill it.
      else request.buffer.set(zeroes.subarray(0, length), at);
    });
    request.complete(0);
  }

  queueWrite(request: DataRequest): void {
    if (this.#readOnly) {
      request.complete(-errno.EROFS);
      return;
    }
    forEachPiece(request, (index, from, length, at) => {
      const chunk = (this.#chunks[index] ??= new Uint8Array(CHUNK_BYTES));
      chunk.set(request.buffer.subarray(at, at + length), from);
    });
    request.complete(0);
  }

  flush(done: Done): void {
    done(0);
  }

  discard(request: RangeRequest): void {
    this.writeZeroes(request);
  }

  /** A hole costs nothing here, so `noHole` changes nothing: memory can run out at any write. */
  writeZeroes(request: RangeRequest): void {
    if (this.#readOnly) {
      request.complete(-errno.EROFS);
      return;
    }
    forEachPiece(request, (index, from, length) => {
      if (length === CHUNK_BYTES) this.#chunks[index] = undefined;
      else this.#chunks[index]?.fill(0, from, from + length);
    });
    request.complete(0);
  }

  /** Always quick here. */
  writeZeroesFast(request: RangeRequest): void {
    this.writeZeroes(request);
  }

  /** A chunk that has no memory is a hole; what another one holds is data. */
  blockStatus({ sector, sectors }: SectorRange, done: BlockStatusDone): void {
    const extents: BlockStatusExtent[] = [];
    const end = sector + sectors;
    for (let at = sector; at < end && extents.length < MAX_TOLD_EXTENTS;) {
      const allocated = this.#chunks[Math.floor(at / CHUNK_SECTORS)] !== undefined;
      const next = Math.min(at + CHUNK_SECTORS - (at % CHUNK_SECTORS), end);
      const last = extents.at(-1);
      if (last?.allocated === allocated)
        extents[extents.length - 1] = { ...last, sectors: last.sectors + next - at };
      else extents.push({ sectors: next - at, allocated, zero: !allocated });
      at = next;
    }
    done(0, extents);
  }

  describe(): string {
    const used = this.#chunks.filter((chunk) => chunk !== undefined).length;
    return `ram ${this.#chunks.length} MiB, ${used} in use`;
  }
}

/** Calls `each` for the part of a range in every chunk: its index, the part's place and length in it, and the part's place in the range. */
function forEachPiece(
  request: RangeRequest,
  each: (index: number, from: number, length: number, at: number) => void,
): void {
  const start = request.sector * SECTOR_SIZE;
  const total = request.sectors * SECTOR_SIZE;
  for (let at = 0; at < total;) {
    const from = (start + at) % CHUNK_BYTES;
    const length = Math.min(CHUNK_BYTES - from, total - at);
    each(Math.floor((start + at) / CHUNK_BYTES), from, length, at);
    at += length;
  }
}

/** The driver type `ram`. */
export const ramDriverType: DiskDriverType = {
  name: 'ram',
  create: (_, argument) => new RamDriver(argument),
};
