// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import {
  type Ramdisk,
  ramdisk,
  type RamdiskCache,
  ramdiskCacheWriteRequest,
  ramdiskClearCache,
  ramdiskDestroy,
  ramdiskFlushPendedRequests,
  ramdiskInit,
  ramdiskRead,
  ramdiskReadFromCache,
  ramdiskStartFlush,
  ramdiskWritesInflight,
} from '../replication/ramdisk.js';
import type { SectorTable } from '../replication/sector-table.js';
import { logName } from './log-names.js';
import { outcomeResult } from './outcome-list.js';
import type { RamdiskStep, RamdiskVector, Trace, TraceEntry } from './vector.js';

/** A sector's data is one number, which a double holds. */
const SECTOR_SIZE = Float64Array.BYTES_PER_ELEMENT;

/** Runs a script of the suites `ramdisk` (with the dead guard of the C) and `ramdisk-guarded`. */
export function runRamdiskScript(vector: RamdiskVector): Trace {
  return new RamdiskDriver(vector.suite === 'ramdisk').run(vector.steps);
}

/** The process would have ended. */
class ProcessExit extends Error {
  override readonly name = 'ProcessExit';
}

class RamdiskDriver {
  readonly #trace: TraceEntry[] = [];
  /** The completions of the writes, by number. */
  readonly #writes: ((error: number) => void)[] = [];
  readonly #disk: Ramdisk;

  constructor(deadGuard: boolean) {
    this.#disk = ramdisk({
      logger: { log: (priority) => this.#trace.push(['log', logName(priority)]) },
      logPrefix: 'conformance',
      sectorSize: SECTOR_SIZE,
      deadGuard,
      image: {
        queueWrite: (sector, data, done) => {
          this.#trace.push(['write', this.#writes.length, Number(sector), numbersOf(data)]);
          this.#writes.push(done);
        },
      },
      failed: () => {
        throw new ProcessExit();
      },
    });
  }

  run(steps: readonly RamdiskStep[]): Trace {
    this.#returned('init', ramdiskInit(this.#disk));
    try {
      for (const step of steps) this.#returned(step[0], this.#act(step));
    } catch (error) {
      if (!(error instanceof ProcessExit)) throw error;
      this.#trace.push(['exit', -1]);
    }
    return this.#trace;
  }

  #act(step: RamdiskStep): number | number[] | null {
    const disk = this.#disk;
    switch (step[0]) {
      case 'cacheWrite':
        return this.#cacheWrite(step[1], BigInt(step[2]), step[3]);
      case 'readFromCache':
        return readInto(step[3], (buffer) =>
          ramdiskReadFromCache(disk, step[1], BigInt(step[2]), step[3], buffer),
        );
      case 'clearCache':
        return ramdiskClearCache(disk, step[1]);
      case 'startFlush':
        return ramdiskStartFlush(disk, step[1]);
      case 'flushPended':
        return ramdiskFlushPendedRequests(disk);
      case 'complete':
        this.#complete(step[1], outcomeResult(step[2]));
        return null;
      case 'read':
        return readInto(step[2], (buffer) => ramdiskRead(disk, BigInt(step[1]), step[2], buffer));
      case 'writesInflight':
        return ramdiskWritesInflight(disk);
      case 'destroy':
        ramdiskDestroy(disk);
        return null;
    }
  }

  /** The buffer is used again after the call, as callers do. */
  #cacheWrite(cache: RamdiskCache, sector: bigint, numbers: readonly number[]): number {
    const bytes = bytesOf(numbers);
    const result = ramdiskCacheWriteRequest(this.#disk, cache, sector, numbers.length, bytes);
    bytes.fill(0);
    return result;
  }

  #complete(write: number, error: number): void {
    const done = this.#writes[write];
    if (done === undefined) throw new Error(`write ${write} ends, but was not issued`);
    done(error);
  }

  #returned(step: string, value: number | number[] | null): void {
    const { inflight, prev, inprogress, primaryCache, secondaryCache } = this.#disk;
    this.#trace.push(
      ['return', step, value],
      [
        'state',
        {
          inflight,
          prev: sectorsOf(prev),
          inprogress: inprogress?.sectors().map(Number) ?? null,
          primary: sectorsOf(primaryCache),
          secondary: sectorsOf(secondaryCache),
        },
      ],
    );
  }
}

function sectorsOf(table: SectorTable | undefined): number[] | null {
  return table === undefined ? null : [...table.keys()].map(Number).sort((one, other) => one - other);
}

function bytesOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

function numbersOf(bytes: Uint8Array): number[] {
  return Array.from(new Float64Array(bytes.slice().buffer));
}

/** The result of a read: the data, or -1. */
function readInto(count: number, read: (buffer: Uint8Array) => number): number | number[] {
  const buffer = new Uint8Array(count * SECTOR_SIZE);
  const result = read(buffer);
  return result === 0 ? numbersOf(buffer) : result;
}
