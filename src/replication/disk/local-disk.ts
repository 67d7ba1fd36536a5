// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

/** Called once with how something ended: 0 or more, or a negative errno. It may be called before the call returns. */
export type Done = (result: number) => void;

/** Bytes in a sector, the unit of every position and length here. */
export const SECTOR_SIZE = 512;

/** What distinguishes an image from another that took its place. */
export interface ImageIdentity {
  readonly fileSystem: number;
  readonly inode: number;
  /** The last change of the data, in microseconds since 1970. */
  readonly modifiedMicroseconds: number;
}

/** A part of a disk. */
export interface DiskExtent {
  /** At least 1. */
  readonly sectors: number;
  /** Whether it is known to read as zeroes. */
  readonly zero: boolean;
}

/** Completes with 0 and extents from the first sector asked for on, which may end before the range does; or a negative errno. */
export type ExtentsDone = (result: number, extents?: readonly DiskExtent[]) => void;

/**
 * The disk that is replicated, as the engine sees it: whatever can read, write, and make durable.
 *
 * The engine calls it on the scheduler and expects completions there. It never asks for sectors outside of the disk.
 * Changes of the same sectors must take effect in the order in which they were asked for.
 */
export interface LocalDisk {
  /** Whole sectors of {@link SECTOR_SIZE}; constant while the engine has the disk. */
  readonly sectors: number;
  /** Fills the buffer, a multiple of {@link SECTOR_SIZE} long. */
  read(sector: number, buffer: Uint8Array, done: Done): void;
  /** The buffer is the disk's until it is done, and must not be changed by it. */
  write(sector: number, buffer: Uint8Array, done: Done): void;
  /** Makes a range read as zeroes; it may be a hole afterwards. */
  zero(sector: number, sectors: number, done: Done): void;
  /**
   * Reports what is known to read as zeroes without being read, as of some moment between this call and its completion.
   * Without it nothing is known.
   */
  extents?(sector: number, sectors: number, done: ExtentsDone): void;
  /** Brings every change that completed before this call to stable storage. After an error no later flush is trusted. */
  flush(done: Done): void;
  /** Brings the image into the form that it has once it is closed; no change follows. Without it closing changes nothing. */
  settle?(done: Done): void;
  /**
   * What the metadata is bound to; without it, the size alone. Completes with 0 and the identity, 0 and none for what has
   * none (memory), or a negative errno.
   */
  identify?(done: (result: number, identity?: ImageIdentity) => void): void;
}
