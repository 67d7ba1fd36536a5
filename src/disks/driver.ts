// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: BSD-3-Clause

import type { Posix } from '../posix/posix.js';
import type { EventRegistrar } from '../scheduler/registrar.js';
import type { Logger } from '../server/logger.js';
import type { Completions } from '../server/completions.js';
import type { FileStatus } from '../posix/files.js';

/** Bytes in a sector: the unit of every request (C: DEFAULT_SECTOR_SIZE). */
export const SECTOR_SIZE = 512;

/** The VBD is closed or about to be. Linux's number: Node's os.constants.errno does not have it. */
export const ESHUTDOWN = 108;

/** Called once with the result: 0 or a negative errno. It may be called before the call that it was passed to returns. */
export type Done = (result: number) => void;

/** Called once like {@link Done}; `reason` says of a negative result what was wrong and what would be right, in words. */
export type DoneWithReason = (result: number, reason?: string) => void;

/** How an image is opened (C: TD_OPEN_RDONLY, TD_OPEN_SHAREABLE). */
export interface OpenFlags {
  /** Requests that would change the image are refused with -EROFS, and the image is not locked. */
  readonly readOnly: boolean;
  /** Other shared openers may write the image at the same time; without it a second writer is refused. */
  readonly shared: boolean;
}

/** What a driver reports about its image once it is open (C: td_disk_info_t). */
export interface DiskInfo {
  readonly sectors: number;
  /** Always {@link SECTOR_SIZE}. */
  readonly sectorSize: number;
  /**
   * The size in bytes, where the last sector is not whole: what it lacks reads as zeroes, and what is written there is
   * dropped. Without it all sectors are whole.
   */
  readonly bytes?: number;
  /** The driver copies the data of requests itself, which is quicker in memory that no other thread may change meanwhile. */
  readonly copiesData?: boolean;
  /** tapdisk's info word (VDISK_… bits of the ring protocol); 0. */
  readonly info: number;
}

/** A disk's size in bytes. */
export function bytesOf({ sectors, bytes }: DiskInfo): number {
  return bytes ?? sectors * SECTOR_SIZE;
}

/** A range of whole sectors, inside the disk. */
export interface SectorRange {
  readonly sector: number;
  /** At least 1. */
  readonly sectors: number;
}

/** A request without data: a range, and a callback. `complete` is called exactly once. */
export interface RangeRequest extends SectorRange {
  complete(result: number): void;
}

/** A read or write. The buffer is the driver's until it completes, sectors × 512 bytes of it are used. */
export interface DataRequest extends RangeRequest {
  readonly buffer: Uint8Array;
}

/** Zeroes to be written. */
export interface ZeroesRequest extends RangeRequest {
  /** The range must stay allocated, so that a later write of it cannot run out of space. */
  readonly noHole: boolean;
  /** Whether anybody still waits for the end; once nobody does, it may end with -ESHUTDOWN, the range zeroed in part. */
  readonly isNeeded?: (() => boolean) | undefined;
}

/** A part of a disk, as {@link Driver.blockStatus} reports it. */
export interface BlockStatusExtent {
  /** At least 1. */
  readonly sectors: number;
  /** Whether the image has space for it. */
  readonly allocated: boolean;
  /** Whether it is known to read as zeroes. */
  readonly zero: boolean;
}

/** Completes with 0 and the extents, or with a negative errno. */
export type BlockStatusDone = (result: number, extents?: readonly BlockStatusExtent[]) => void;

/** Which file an open image is, for those who keep something about it. */
export interface ImageFile {
  readonly path: string;
  readonly fileSystem: number;
  readonly inode: number;
  /** The last change of its data, in microseconds since 1970. */
  readonly modifiedMicroseconds: number;
}

/** Identifies the open image at a path, from its file status. */
export function imageFileOf(path: string, { fileSystem, inode, modifiedSeconds }: FileStatus): ImageFile {
  return { path, fileSystem, inode, modifiedMicroseconds: Math.round(modifiedSeconds * 1e6) };
}

/** One image of an open chain, of which each is the parent of the one before it. */
export interface ChainLink {
  readonly path: string;
  readonly sectors: number;
  /** Undefined for a fixed or raw one. */
  readonly blocks?: number;
  readonly allocatedBlocks?: number;
}

/**
 * A driver, or a filter over another one (C: struct tap_disk). One instance serves one opening of a VBD.
 *
 * The VBD calls open once, then requests, then preClose and close; it never has requests outside of the disk, or changes
 * on a read-only opening. A driver completes a request at any time after it was queued, also before the call returns, in
 * any order, with 0 or a negative errno; -EBUSY asks the VBD to try again later. Completions run on the scheduler.
 */
export interface Driver {
  /**
   * Opens the image. After anything but 0 the driver holds nothing. It may be opened again after a close: that is how a
   * paused VBD is resumed.
   */
  open(flags: OpenFlags, done: DoneWithReason): void;
  /**
   * An opening that is under way is not needed any more: it ends soon, with -ECANCELED unless it was done. To be ignored at
   * any other time. Without it an opening takes the time that it takes.
   */
  abortOpen?(): void;
  /** The open image's measures. */
  info(): DiskInfo;
  /**
   * The image is about to be closed: whatever requests the driver holds back for some condition must go on now, since
   * close waits for all of them. Called once, maybe with requests in flight, before {@link close}.
   */
  preClose?(): void;
  /**
   * Brings the open image into the form that it has once it is closed, so that what {@link identify} reports afterwards is
   * still true then. No change may follow. Without it {@link close} changes nothing.
   */
  settle?(done: DoneWithReason): void;
  /**
   * Takes the size that the image has by now, while requests go on; {@link info} has it afterwards. -EINVAL when it has become
   * smaller, and nothing changes then. Without it an open image keeps its size.
   */
  resize?(done: DoneWithReason): void;
  /** Closes the image and lets go of everything, whatever the result; no request is in flight. */
  close(done: DoneWithReason): void;
  queueRead(request: DataRequest): void;
  queueWrite(request: DataRequest): void;
  /** Brings every change that completed before this call, from any client, to stable storage. */
  flush(done: Done): void;
  /** Declares that the range's content is not needed any more; it may read as anything afterwards. */
  discard?(request: RangeRequest): void;
  /** Without it the VBD writes zeroes with {@link queueWrite}. */
  writeZeroes?(request: ZeroesRequest): void;
  /** As writeZeroes, but only where that is quicker than writing; -EOPNOTSUPP at once where it is not, and without it. */
  writeZeroesFast?(request: ZeroesRequest): void;
  /**
   * Reports what a range is made of: extents from its first sector on, at least one; they may end before the range does. What
   * is reported as zero reads as zeroes, as of some moment between this call and its completion; the rest may be
   * anything. Without it everything is allocated.
   */
  blockStatus?(range: SectorRange, done: BlockStatusDone): void;
  /**
   * As blockStatus, for reads, which must not wait for it: what is not known at once is reported as data, and may be found out
   * for later calls. Without it {@link blockStatus} is called.
   */
  blockStatusFast?(range: SectorRange, done: BlockStatusDone): void;
  /** Completes with 0 and the open image's file, or -EOPNOTSUPP when it is not one regular file. */
  identify?(done: (result: number, image?: ImageFile) => void): void;
  /** The images that the open disk is made of, the one that takes its writes first; empty unless it is open. */
  chain?(): readonly ChainLink[];
  /** One line on its state, for dumps. */
  describe?(): string;
}

/** What a driver gets to work with. */
export interface DriverContext {
  readonly registrar: EventRegistrar;
  readonly posix: Posix;
  readonly logger: Logger;
  /** Brings what ended outside of the scheduler (a file call) back onto it. */
  readonly completions: Completions;
}

/** A driver type under its name, at the bottom of a stack: `aio:/path`. */
export interface DiskDriverType {
  readonly name: string;
  /** `argument`: all that follows the colon. An argument that is wrong is an error of {@link Driver.open}. */
  create(context: DriverContext, argument: string): Driver;
}

/** A driver type that stands over another one: `log:|aio:/path`. */
export interface FilterDriverType {
  readonly name: string;
  /** `argument`: what stands between the colon and the bar. `below` is open before this is, and closed after it, by the stack. */
  createFilter(context: DriverContext, argument: string, below: Driver): Driver;
}

/** A driver type: one at the bottom of a stack, or a filter. */
export type DriverType = DiskDriverType | FilterDriverType;
