// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import { errno } from '../posix/errno.js';
import {
  type BlockStatusDone,
  type BlockStatusExtent,
  bytesOf,
  type DiskInfo,
  type Done,
  ESHUTDOWN,
  SECTOR_SIZE,
} from './driver.js';
import { type SectorCalls, readBytes, writeBytes, zeroBytes } from './byte-requests.js';
import { EdgeOrder } from './edge-order.js';
import type { RequestParts } from './request.js';

/** What requests that change a disk may ask for. */
export interface ChangeOptions {
  /** The request completes when the change, and what it needs, is on stable storage. */
  readonly forceUnitAccess?: boolean;
}

/** What zeroes may ask for: that the range stays allocated; that they are made only if that is quicker than writing them. */
export interface ZeroOptions extends ChangeOptions {
  readonly noHole?: boolean;
  readonly fast?: boolean;
  /**
   * Whether anybody still waits for the end. Where zeroes take several writes it is asked before each; once it returns false,
   * the request ends with -ESHUTDOWN, and the range may be zeroed in part.
   */
  readonly isNeeded?: () => boolean;
}

/**
 * A disk, as its users see it.
 *
 * Requests may complete in any order, each once, and also before the call returns. A flush covers every change that was
 * answered before the flush was requested, from any client.
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
  protected readonly order: EdgeOrder;

  /** @param order its own unless given */
  constructor(order = new EdgeOrder()) {
    this.order = order;
  }

  /**
   * The same disk for one client. Clients whose requests wait take turns, whatever number of requests each has; here, where
   * nothing waits, it is the disk itself.
   */
  forClient(): BlockDevice {
    return this;
  }

  /** The disk's size in bytes; it need not be a number of whole sectors. */
  get sizeBytes(): number {
    return bytesOf(this.info);
  }

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
  writeZeroes(sector: number, sectors: number, done: Done, options?: ZeroOptions): void {
    this.#queue({ kind: 'writeZeroes', sector, sectors, ...options }, done);
  }

  /**
   * Reports what a range is made of, as {@link Driver.blockStatus} does. With `fast`, as {@link Driver.blockStatusFast}.
   * Errors as {@link queueRead}.
   */
  blockStatus(sector: number, sectors: number, done: BlockStatusDone, { fast = false } = {}): void {
    let found: readonly BlockStatusExtent[] = [{ sectors, allocated: true, zero: false }];
    const onExtents = (extents: readonly BlockStatusExtent[]): void => {
      found = extents;
    };
    this.#queue({ kind: 'blockStatus', sector, sectors, onExtents, fast }, (result) =>
      result < 0 ? done(result) : done(result, found),
    );
  }

  /** Reads any bytes inside of {@link sizeBytes}; otherwise as {@link queueRead}. */
  readBytes(offset: number, buffer: Uint8Array, done: Done): void {
    if (isWhole(offset, buffer.length)) this.queueRead(offset / SECTOR_SIZE, buffer, done);
    else if (this.#isInside(offset, buffer.length)) readBytes(this.#calls(), offset, buffer, done);
    else done(-errno.EINVAL);
  }

  /**
   * Writes any bytes inside of {@link sizeBytes}; otherwise as {@link queueWrite}. Sectors that are not written whole are
   * read before, and no other change of them is lost.
   */
  writeBytes(offset: number, buffer: Uint8Array, done: Done, options?: ChangeOptions): void {
    if (isWhole(offset, buffer.length)) this.queueWrite(offset / SECTOR_SIZE, buffer, done, options);
    else if (this.#isInside(offset, buffer.length)) writeBytes(this.#calls(options), offset, buffer, done);
    else done(-errno.EINVAL);
  }

  /** Gives up the whole sectors of a range of bytes; one that has none is left as it is. Otherwise as {@link discard}. */
  discardBytes(offset: number, length: number, done: Done, options?: ChangeOptions): void {
    const first = Math.ceil(offset / SECTOR_SIZE);
    const end = this.#sectorsUntil(offset + length);
    if (!this.#isInside(offset, length)) done(-errno.EINVAL);
    else if (first >= end) done(this.isOpen ? 0 : -ESHUTDOWN);
    else this.discard(first, end - first, done, options);
  }

  /** Makes any bytes read as zeroes, as {@link writeBytes} writes them; `fast` only whole sectors. */
  zeroBytes(offset: number, length: number, done: Done, options?: ZeroOptions): void {
    const end = this.#sectorsUntil(offset + length) * SECTOR_SIZE;
    // Of a last sector that is not whole, what it lacks may be zeroed too.
    const whole = Math.max(end, offset + length) - offset;
    const zeroWhole = (sector: number, sectors: number, ended: Done): void =>
      this.writeZeroes(sector, sectors, ended, options);
    if (isWhole(offset, whole)) zeroWhole(offset / SECTOR_SIZE, whole / SECTOR_SIZE, done);
    else if (!this.#isInside(offset, length)) done(-errno.EINVAL);
    else if (options?.fast) done(-errno.EOPNOTSUPP);
    else zeroBytes(this.#calls(options), offset, whole, zeroWhole, done);
  }

  /** How many sectors end before `end`, the last one of the disk also if it is not whole. */
  #sectorsUntil(end: number): number {
    return end === this.sizeBytes ? this.info.sectors : Math.floor(end / SECTOR_SIZE);
  }

  #isInside(offset: number, length: number): boolean {
    const end = offset + length;
    return (
      Number.isSafeInteger(end) &&
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      length > 0 &&
      end <= this.sizeBytes
    );
  }

  #calls(options?: ChangeOptions): SectorCalls {
    return {
      order: this.order,
      read: (sector, buffer, done) => this.queueRead(sector, buffer, done),
      write: (sector, buffer, done) => this.queueWrite(sector, buffer, done, options),
      writeBack: (sector, buffer, done) =>
        this.#issue({ kind: 'write', sector, sectors: 1, buffer, ...options }, done),
    };
  }

  /** Takes in a request that may be issued. */
  protected abstract enqueue(parts: RequestParts, done: Done): void;

  /** Takes in a request once no change of a part of a sector forbids it. */
  #queue(parts: RequestParts, done: Done): void {
    if (parts.kind === 'read' || parts.kind === 'blockStatus') {
      this.#issue(parts, done);
      return;
    }
    const range = { sector: parts.sector, sectors: parts.sectors };
    this.order.begin(range, false, () =>
      this.#issue(parts, (result) => {
        this.order.end(range);
        done(result);
      }),
    );
  }

  #issue(parts: RequestParts, done: Done): void {
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

function isWhole(offset: number, length: number): boolean {
  return offset % SECTOR_SIZE === 0 && length % SECTOR_SIZE === 0;
}
