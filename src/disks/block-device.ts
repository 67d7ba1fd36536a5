// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import { ESHUTDOWN, SECTOR_SIZE } from './driver.js';
import type { BlockStatusExtent, DiskInfo, Done, BlockStatusDone } from './driver.js';
import type { RequestParts } from './request.js';

/** What requests that change a disk may ask for. */
export interface ChangeOptions {
  /** The request completes when the change, and what it needs, is on stable storage. */
  readonly forceUnitAccess?: boolean;
}

/**
 * A disk, as those who read and write it see it.
 *
 * Requests may complete in any order, each once, and also before the call returns. A flush covers every change that was
 * answered before the flush was asked for, whoever asked for that change.
 */
export abstract class BlockDevice {
  /** Whether requests are taken, if only to wait: running, pausing, paused or resuming. */
  abstract get isOpen(): boolean;
  /** Whether changes are refused. */
  abstract get readOnly(): boolean;
  /** The disk's measures, as of its last opening or resuming. */
  abstract get info(): DiskInfo;
  /** Whether {@link discard} is taken. */
  abstract get canDiscard(): boolean;

  /** Reads buffer.length bytes, whole sectors. -EINVAL outside of the disk, -ESHUTDOWN unless open, else the driver's error. */
  queueRead(sector: number, buffer: Uint8Array, done: Done): void {
    this.#queue({ kind: 'read', sector, sectors: buffer.length / SECTOR_SIZE, buffer }, done);
  }

  /** Writes whole sectors; the buffer is the VBD's until it is done. As {@link queueRead}, and -EROFS on a read-only opening. */
  queueWrite(sector: number, buffer: Uint8Array, done: Done, options?: ChangeOptions): void {
    this.#queue({ kind: 'write', sector, sectors: buffer.length / SECTOR_SIZE, buffer, ...options }, done);
  }

  /** Brings all that was answered before to stable storage. */
  flush(done: Done): void {
    this.enqueue({ kind: 'flush', sector: 0, sectors: 0 }, done);
  }

  /** Gives a range up: it may read as anything afterwards. -EOPNOTSUPP where the driver cannot. */
  discard(sector: number, sectors: number, done: Done, options?: ChangeOptions): void {
    this.#queue({ kind: 'discard', sector, sectors, ...options }, done);
  }

  /** Makes a range read as zeroes. `fast`: only if that is quicker than writing them, else -EOPNOTSUPP at once. */
  writeZeroes(
    sector: number,
    sectors: number,
    done: Done,
    options?: ChangeOptions & { readonly noHole?: boolean; readonly fast?: boolean },
  ): void {
    this.#queue({ kind: 'writeZeroes', sector, sectors, ...options }, done);
  }

  /** Tells what a range is made of, as {@link Driver.blockStatus} has it. Errors as {@link queueRead}. */
  blockStatus(sector: number, sectors: number, done: BlockStatusDone): void {
    let found: readonly BlockStatusExtent[] | undefined;
    const onExtents = (extents: readonly BlockStatusExtent[]): void => {
      found = extents;
    };
    this.#queue({ kind: 'blockStatus', sector, sectors, onExtents }, (result) => done(result, found));
  }

  /** Takes in a request that may be issued. */
  protected abstract enqueue(parts: RequestParts, done: Done): void;

  #queue(parts: RequestParts, done: Done): void {
    const { sector, sectors } = parts;
    const inside =
      Number.isSafeInteger(sector) &&
      Number.isSafeInteger(sectors) &&
      sector >= 0 &&
      sectors > 0 &&
      sector + sectors <= this.info.sectors;
    if (!this.isOpen) done(-ESHUTDOWN);
    else if (!inside) done(-errno.EINVAL);
    else if (parts.kind !== 'read' && parts.kind !== 'blockStatus' && this.readOnly) done(-errno.EROFS);
    else this.enqueue(parts, done);
  }
}
