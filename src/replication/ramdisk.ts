// SPDX-FileCopyrightText: 2014 FUJITSU LIMITED
// SPDX-FileContributor: Wen Congyang <wency@cn.fujitsu.com>
// SPDX-FileCopyrightText: 2026 The tapdisk-ts authors
// SPDX-License-Identifier: LGPL-2.1-only

/*
 * Copyright (C) 2014 FUJITSU LIMITED
 * Author: Wen Congyang <wency@cn.fujitsu.com>
 *
 * This program is free software; you can redistribute it and/or modify
 * it under the terms of the GNU Lesser General Public License as published
 * by the Free Software Foundation; version 2.1 only. with the special
 * exception on linking described in file LICENSE.
 *
 * This program is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
 * GNU Lesser General Public License for more details.
 */

// The ramdisk, the backup's buffer of checkpoints, that a later version of tools/blktap2/drivers/block-replication.c and .h
// has beside the connect module, made in 2026 after the rules K of docs/semantics.md. What had to differ has a row in
// docs/divergences.md.

import { strerror } from '../posix/errno.js';
import { LOG_DEBUG, LOG_ERR, type Logger } from '../server/logger.js';
import { FlightTable, isSectorRange, runsOf, type SectorTable } from './sector-table.js';

/** Which cache is meant. A backup collects the open checkpoint in the primary one. */
export type RamdiskCache = 'primary' | 'secondary';

/** The disk that checkpoints are flushed to (C: td_image_t and td_queue_write). */
export interface RamdiskImage {
  /**
   * Writes whole sectors, and calls `done` once: with 0, or with the errno of the failure, whatever its sign. It may do so
   * before it returns. The data is the image's to keep.
   */
  queueWrite(sector: bigint, data: Uint8Array, done: (error: number) => void): void;
}

/** C: ramdisk_t. Sector numbers are unsigned and have 64 bits. */
export interface Ramdisk {
  readonly logger: Logger;

  /* caller must fill these in before calling ramdiskInit() */
  logPrefix: string;
  /** Bytes, at least 1. */
  sectorSize: number;
  image: RamdiskImage;
  /**
   * Called when a write of a checkpoint has failed, with its positive errno: the disk is between two checkpoints, and must
   * not be used as if it were at one. C ends the process here.
   */
  failed: (ramdisk: Ramdisk, errnoval: number) => void;
  /** Lets the guard of rule K7 be as dead as it is in C. For conformance only: it can leave the older data on the disk. */
  deadGuard: boolean;

  /* private */
  /** The sectors that are to be written and are not in flight; undefined when there are none. */
  prev: SectorTable | undefined;
  /** The sectors in flight; undefined before the first flush. */
  inprogress: FlightTable | undefined;
  primaryCache: SectorTable | undefined;
  secondaryCache: SectorTable | undefined;
  /** Writes in flight. */
  inflight: number;
  /** The errno of the first write that failed, 0 without one: nothing is written any more then. */
  error: number;
  /** A flush is issuing its writes. */
  flushing: boolean;
}

/** A zero-filled struct but for what the caller fills in; {@link ramdiskInit} makes it usable. */
export function ramdisk(
  given: Pick<Ramdisk, 'logger' | 'sectorSize' | 'image' | 'failed'> & Partial<Ramdisk>,
): Ramdisk {
  return {
    logPrefix: '',
    deadGuard: false,
    prev: undefined,
    inprogress: undefined,
    primaryCache: undefined,
    secondaryCache: undefined,
    inflight: 0,
    error: 0,
    flushing: false,
    ...given,
  };
}

/**
 * Makes both caches, empty.
 *
 * @returns 0; -1 while writes are in flight, or for a sector size that is no positive integer
 * @ported block-replication.c ramdisk_init
 */
export function ramdiskInit(disk: Ramdisk): number {
  if (disk.inflight > 0 || !Number.isSafeInteger(disk.sectorSize) || disk.sectorSize < 1) return -1;
  disk.prev = undefined;
  disk.inprogress = undefined;
  disk.primaryCache = new Map();
  disk.secondaryCache = new Map();
  disk.inflight = 0;
  disk.error = 0;
  disk.flushing = false;
  return 0;
}

/**
 * Drops the tables. With writes in flight it logs and does nothing: then it has to be called again after them.
 *
 * @ported block-replication.c ramdisk_destroy
 */
export function ramdiskDestroy(disk: Ramdisk): void {
  if (ramdiskWritesInflight(disk)) {
    EPRINTF(disk, 'cannot destroy ramdisk with requests in flight\n');
    return;
  }
  disk.prev = undefined;
  disk.inprogress = undefined;
  // As in C the secondary cache stays in the struct, and goes with it.
  disk.primaryCache = undefined;
}

/**
 * Copies sectors that are pending, else those in flight, into `buffer`; the caches are not looked at.
 *
 * @returns 0; -1 when a sector is neither: the buffer may be partly overwritten then, and the disk has to be asked. -1, too,
 *   for a buffer that is too short
 * @ported block-replication.c ramdisk_read
 */
export function ramdiskRead(disk: Ramdisk, sector: bigint, count: number, buffer: Uint8Array): number {
  return copyOut(disk, sector, count, buffer, (at) => disk.prev?.get(at) ?? disk.inprogress?.data(at));
}

/**
 * Copies sectors of one cache into `buffer`.
 *
 * @returns 0; -1 when one is not there: the buffer may be partly overwritten then
 * @ported block-replication.c ramdisk_read_from_cache
 */
export function ramdiskReadFromCache(
  disk: Ramdisk,
  cache: RamdiskCache,
  sector: bigint,
  count: number,
  buffer: Uint8Array,
): number {
  return copyOut(disk, sector, count, buffer, (at) => tableOf(disk, cache)?.get(at));
}

/**
 * Puts a copy of each sector into a cache, over what that has of it. Nothing is written to the disk.
 *
 * @returns 0; -1, and nothing is stored: the data is too short, a sector has no unsigned 64-bit number, or the cache was
 *   destroyed
 * @ported block-replication.c ramdisk_cache_write_request
 */
export function ramdiskCacheWriteRequest(
  disk: Ramdisk,
  cache: RamdiskCache,
  sector: bigint,
  count: number,
  data: Uint8Array,
): number {
  const table = tableOf(disk, cache);
  if (table === undefined || !isSectorRange(sector, count) || data.length < count * disk.sectorSize)
    return -1;
  for (let index = 0; index < count; index++) {
    table.set(sector + BigInt(index), data.slice(index * disk.sectorSize, (index + 1) * disk.sectorSize));
  }
  return 0;
}

/**
 * Makes the sectors of a cache pending, over those that pend already, and flushes what pends. The cache is empty then. One
 * that is empty does nothing.
 *
 * @returns 0; -1 when a write has failed before, or the cache was destroyed: nothing has changed then
 * @ported block-replication.c ramdisk_start_flush
 */
export function ramdiskStartFlush(disk: Ramdisk, cache: RamdiskCache): number {
  const table = tableOf(disk, cache);
  if (table === undefined || disk.error !== 0) return -1;
  if (table.size === 0) return 0;

  disk.prev = new Map([...(disk.prev ?? []), ...table]);
  table.clear();
  return ramdiskFlushPendedRequests(disk);
}

/**
 * Writes the pending sectors in runs of consecutive numbers, in their order. A run with a sector in flight goes on pending,
 * so that the disk cannot end with the older data.
 *
 * @returns 0; -1 when a write has failed before
 * @ported block-replication.c ramdisk_flush_pended_requests
 */
export function ramdiskFlushPendedRequests(disk: Ramdisk): number {
  if (disk.error !== 0) return -1;
  // A write that ends before the image returns must not flush what this flush is about to.
  if (disk.flushing) return 0;
  disk.flushing = true;
  try {
    do flushRuns(disk);
    while (disk.prev !== undefined && disk.inflight === 0 && disk.error === 0);
  } finally {
    disk.flushing = false;
  }
  return disk.error === 0 ? 0 : -1;
}

/**
 * Empties a cache.
 *
 * @returns 0; -1 when the cache was destroyed
 * @ported block-replication.c ramdisk_clear_cache
 */
export function ramdiskClearCache(disk: Ramdisk, cache: RamdiskCache): number {
  const table = tableOf(disk, cache);
  table?.clear();
  return table === undefined ? -1 : 0;
}

/**
 * @returns 1 while a write is in flight or something pends, else 0
 * @ported block-replication.c ramdisk_writes_inflight
 */
export function ramdiskWritesInflight(disk: Ramdisk): number {
  return disk.inflight > 0 || disk.prev !== undefined ? 1 : 0;
}

function DPRINTF(disk: Ramdisk, message: string): void {
  disk.logger.log(LOG_DEBUG, `${disk.logPrefix}: ${message}`);
}

function EPRINTF(disk: Ramdisk, message: string): void {
  disk.logger.log(LOG_ERR, `${disk.logPrefix}: ${message}`);
}

function tableOf(disk: Ramdisk, cache: RamdiskCache): SectorTable | undefined {
  return cache === 'primary' ? disk.primaryCache : disk.secondaryCache;
}

/** Copies what `find` has of each sector; 0, or -1 at the first one that it has not. */
function copyOut(
  disk: Ramdisk,
  sector: bigint,
  count: number,
  buffer: Uint8Array,
  find: (sector: bigint) => Uint8Array | undefined,
): number {
  if (!isSectorRange(sector, count) || buffer.length < count * disk.sectorSize) return -1;
  for (let index = 0; index < count; index++) {
    const data = find(sector + BigInt(index));
    if (data === undefined) return -1;
    buffer.set(data, index * disk.sectorSize);
  }
  return 0;
}

/** Issues each run that may be. */
function flushRuns(disk: Ramdisk): void {
  if (disk.prev === undefined) return;
  disk.inprogress ??= new FlightTable();
  for (const run of runsOf(disk.prev)) {
    const { prev, inprogress } = disk;
    // A write that failed meanwhile has dropped what pended.
    if (prev === undefined) return;
    const busy = run.find((sector) => inprogress.data(sector) !== undefined);
    if (busy === undefined) issueRun(disk, run, prev, inprogress);
    else {
      DPRINTF(disk, `sector ${busy} is in flight\n`);
      EPRINTF(disk, `cannot write ${run.length} sectors yet that overlap a write in flight\n`);
    }
  }
}

/** One write of the whole run, counted before it is issued: it may end at once. */
function issueRun(disk: Ramdisk, run: readonly bigint[], prev: SectorTable, inprogress: FlightTable): void {
  const data = new Uint8Array(run.length * disk.sectorSize);
  for (const [index, sector] of run.entries()) {
    const pending = prev.get(sector) as Uint8Array;
    data.set(pending, index * disk.sectorSize);
    prev.delete(sector);
    inprogress.add(sector, disk.deadGuard ? undefined : pending);
  }
  if (prev.size === 0) disk.prev = undefined;
  disk.inflight += 1;
  disk.image.queueWrite(run[0] as bigint, data, (error) => runWritten(disk, run, inprogress, error));
}

function runWritten(disk: Ramdisk, run: readonly bigint[], inprogress: FlightTable, error: number): void {
  disk.inflight -= 1;
  for (const sector of run) inprogress.remove(sector);
  if (error !== 0) writeFailed(disk, Math.abs(error));
  else if (disk.inflight === 0 && disk.prev !== undefined) ramdiskFlushPendedRequests(disk);
}

/** The checkpoint is on the disk in part, and nothing that comes after it can mend that. */
function writeFailed(disk: Ramdisk, errnoval: number): void {
  EPRINTF(disk, `a write of a checkpoint failed: ${strerror(errnoval)}\n`);
  disk.prev = undefined;
  if (disk.error !== 0) return;
  disk.error = errnoval;
  disk.failed(disk, errnoval);
}
